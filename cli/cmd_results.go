package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// resultFormats are the values of --format.
const (
	formatTable = "table"
	formatCSV   = "csv"
	formatJSONL = "jsonl"
)

type resultsFlags struct {
	filter  filterFlags
	rejects bool
	format  string
	columns []string
}

func (p *program) resultsCommand() *cobra.Command {
	var f resultsFlags
	cmd := &cobra.Command{
		Use:   "results ID",
		Short: "List the results of a transfer",
		Long: `Results prints a table for each step, ordered by step and file, with a column for
each fact. --columns chooses among the fields file, path, step, outcome, exit_code,
code, message, error, output, attempt, worker, started_at and ended_at, and facts by
their names. --format csv has all of them; --format jsonl, or --json, prints one
object per result. With --rejected it lists the lines that a load rejected, with
their numbers and reasons.`,
		Example: `  baler results latest
  baler results 12 --outcome failed,error,timed_out
  baler results 12 --code no-space
  baler results 12 --step identify --columns path,puid,mime --format csv
  baler results 12 --step identify --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.filter.resultFilter(cmd)
			if err != nil {
				return err
			}
			if err := f.check(cmd, p.json); err != nil {
				return err
			}
			if f.rejects {
				return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
					return p.listRejectedLines(ctx, b, args[0])
				})
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				return p.results(ctx, b, args[0], filter, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.filter.add(p, cmd)
	flags.StringVar(&f.format, "format", formatTable, "`FORMAT`: table, csv or jsonl")
	flags.StringSliceVar(&f.columns, "columns", nil,
		"`COLUMNS`: fields and facts, separated by commas (default: those that the results have)")
	flags.BoolVar(&f.rejects, "rejected", false, "list the lines that a load rejected")
	for _, other := range []string{"step", "outcome", "file", "group", "code", "message", "format", "columns"} {
		cmd.MarkFlagsMutuallyExclusive("rejected", other)
	}
	var fields []string
	for _, c := range resultFields() {
		fields = append(fields, c.name)
	}
	completeBy(cmd, "columns", completeList(fields...))
	complete(cmd, "format", formatTable, formatCSV, formatJSONL)
	return cmd
}

// check completes the flags. --json means --format jsonl.
func (f *resultsFlags) check(cmd *cobra.Command, json bool) error {
	switch {
	case !slices.Contains([]string{formatTable, formatCSV, formatJSONL}, f.format):
		return usagef("--format %q must be table, csv or jsonl%s", f.format, didYouMean(f.format, formatTable, formatCSV, formatJSONL))
	case json && cmd.Flags().Changed("format") && f.format != formatJSONL:
		return usagef("--json prints JSON lines; leave it out for --format %s", f.format)
	case slices.Contains(f.columns, ""):
		return usagef("--columns has an empty name")
	}
	if json {
		f.format = formatJSONL
	}
	return nil
}

func (p *program) results(ctx context.Context, b system, id string, filter baler.ResultFilter, f *resultsFlags) (err error) {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	if err := hasStep(&t, filter.Step); err != nil {
		return err
	}
	if err := chooseGroup(ctx, b, &t, f.filter.group, &filter); err != nil {
		return err
	}
	if filter.File > t.Files {
		return fmt.Errorf("transfer %s has no file %d; its files are numbered from 1 to %d", number(&t), filter.File, t.Files)
	}
	w := bufio.NewWriterSize(p.stdout, 64<<10)
	defer func() { _ = w.Flush() }() // output remembers the error
	to, err := p.resultWriter(ctx, b, &t, filter, f, w)
	if err != nil {
		return err
	}
	missing, unreadable, known := parseColumns(f.columns), 0, knownColumns()
	for line, err := range b.Results(ctx, t, filter) {
		if err == nil {
			err = to.write(&line)
		}
		if err != nil {
			return err
		}
		if line.Code == tasks.CodeUnreadableRow {
			unreadable++
		}
		if len(missing) > 0 {
			missing = stillMissing(missing, &line, known)
		}
	}
	for _, c := range missing {
		p.notef("note: no result has a fact or field %q%s", c.name, didYouMean(c.name, slices.Sorted(maps.Keys(known))...))
	}
	if err := to.end(); err != nil || unreadable == 0 {
		return err
	}
	_ = w.Flush() // output remembers the error
	return fmt.Errorf("%s cannot be read from the database: correct or delete the rows with the code %s, or restore the database",
		plural(int64(unreadable), "result"), tasks.CodeUnreadableRow)
}

// knownColumns are the names of fields; those of facts are added as they are met.
func knownColumns() map[string]bool {
	known := make(map[string]bool)
	for _, c := range resultFields() {
		known[c.name] = true
	}
	return known
}

// mostColumns bounds the names of facts that are remembered.
const mostColumns = 1000

// stillMissing keeps the columns of facts that the result does not have.
func stillMissing(columns []resultColumn, l *tasks.ResultLine, known map[string]bool) []resultColumn {
	facts := factsOf(l)
	for name := range facts {
		if len(known) < mostColumns {
			known[name] = true
		}
	}
	return slices.DeleteFunc(columns, func(c resultColumn) bool { return !c.fact || facts[c.name] != nil })
}

// resultWriter returns the writer for the format of the flags.
func (p *program) resultWriter(
	ctx context.Context, b system, t *tasks.Transfer, filter baler.ResultFilter, f *resultsFlags, w io.Writer,
) (resultWriter, error) {
	var columns []resultColumn
	if len(f.columns) > 0 {
		columns = parseColumns(f.columns)
	}
	width, onTerminal := terminal(p.stdout.w)
	switch f.format {
	case formatJSONL:
		buffered := *p
		buffered.stdout = &output{w: w}
		return &resultLines{&buffered, columns}, nil
	case formatCSV:
		if columns == nil {
			facts, err := allFacts(ctx, b, t, filter)
			if err != nil {
				return nil, err
			}
			columns = append(csvFields(), facts...)
		}
		return newResultCSV(w, columns, onTerminal)
	}
	return &resultTables{
		w: w, width: width, colors: p.colors(p.stdout), columns: columns, order: factOrder(p.registry, t),
		titled: columns == nil && filter.Step == "" && len(t.Steps) > 1,
	}, nil
}

// allFacts lists the facts of the results, because a CSV file begins with their names.
func allFacts(ctx context.Context, b system, t *tasks.Transfer, filter baler.ResultFilter) (columns []resultColumn, err error) {
	known := map[string]bool{}
	for line, err := range b.Results(ctx, *t, filter) {
		if err != nil {
			return nil, err
		}
		for name := range factsOf(&line) {
			known[name] = true
		}
	}
	for _, name := range inOrder(known, nil) {
		columns = append(columns, resultColumn{name: name, fact: true})
	}
	return columns, nil
}

// factOrder returns the facts of this program's handlers in the order in which the
// handlers list them: the most important first.
func factOrder(registry *handlers.Registry, t *tasks.Transfer) func(step string) []string {
	return func(step string) []string {
		for i := range t.Steps {
			if reg, ok := registry.Lookup(t.Steps[i].Handler); ok && t.Steps[i].Name == step && reg.Facts != nil {
				return reg.Facts(nil)
			}
		}
		return nil
	}
}

// hasStep returns an error for a step that the transfer's recipe does not have.
func hasStep(t *tasks.Transfer, name string) error {
	names := make([]string, len(t.Steps))
	for i := range t.Steps {
		if names[i] = t.Steps[i].Name; names[i] == name {
			return nil
		}
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("transfer %s has no step %q; it has %s%s", number(t), name, strings.Join(names, ", "), didYouMean(name, names...))
}
