package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
)

// benchFlags are the flags of every bench.
type benchFlags struct {
	yes       bool
	html, svg string
	server    []string // arguments of the database server that is started; not a flag
}

func (f *benchFlags) add(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.BoolVar(&f.yes, "yes", false, "measure also in a given database that holds transfers")
	flags.StringVar(&f.html, "html", "", "write a page with charts, tables and the machine to `FILE`")
	flags.StringVar(&f.svg, "svg", "", "write the charts to `FILE`")
}

// findings are the results of a bench, as tables and charts.
type findings struct {
	title, lead string
	notes       []string
	charts      []chart.Chart
	tables      []titled
}

type titled struct {
	title string
	*table
}

func (f *findings) notef(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// stolen explains the marks in the columns of stolen time, if there are any.
func (f *findings) stolen(percents []float64) {
	if note := bench.StolenNote(percents); note != "" {
		f.notes = append(f.notes, note)
	}
}

func (f *findings) add(title string, t *table) {
	if len(t.rows) > 0 {
		f.tables = append(f.tables, titled{title, t})
	}
}

// print writes findings as text.
func (f *findings) print(w io.Writer) {
	for i, t := range f.tables {
		if i > 0 {
			fmt.Fprintf(w, "\n%s:\n", t.title)
		}
		t.write(w)
	}
	for i, s := range f.notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, s)
	}
}

// show prints findings, unless the output is JSON, and writes the requested files.
func (p *program) show(f *findings, flags *benchFlags, m *bench.Machine) error {
	if !p.json {
		f.print(p.stdout)
	}
	return errors.Join(
		p.write(flags.html, func(w io.Writer) error { return chart.WriteHTML(w, f.page(m)) }),
		p.write(flags.svg, func(w io.Writer) error { return chart.WriteSVG(w, f.charts...) }),
	)
}

// write writes a file, if it has a name.
func (p *program) write(path string, content func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write charts: %w", err)
	}
	if err := errors.Join(content(file), file.Close()); err != nil {
		return fmt.Errorf("write charts to %s: %w", path, err)
	}
	p.notef("Wrote %s.", path)
	return nil
}

func (f *findings) page(m *bench.Machine) *chart.Page {
	page := &chart.Page{Title: f.title, Lead: f.lead, Says: f.notes, Charts: f.charts}
	for _, t := range f.tables {
		out := chart.DataTable{Title: t.title, Rows: t.rows}
		for _, c := range t.columns {
			out.Columns = append(out.Columns, chart.DataColumn{Title: c.title, Right: c.right})
		}
		page.Tables = append(page.Tables, out)
	}
	for _, fact := range []chart.Fact{
		{Name: "date", Value: m.Date}, {Name: "processor", Value: m.Processor}, {Name: "cores", Value: strconv.Itoa(m.Cores)},
		{Name: "memory", Value: fmt.Sprintf("%d MiB", m.MemoryMiB)}, {Name: "platform", Value: m.Platform + ", " + m.Go},
		{Name: "Baler", Value: m.Baler}, {Name: "Redis", Value: m.Redis}, {Name: "database", Value: m.Database},
		{Name: "innodb_flush_log_at_trx_commit", Value: m.Flush}, {Name: "log_bin", Value: m.Binlog},
	} {
		if fact.Value != "" {
			page.Facts = append(page.Facts, fact)
		}
	}
	return page
}

// measured runs a bench that does not depend on the machine, with options that the
// flags have filled.
func measured[O any](
	p *program, flags *benchFlags, options *O, do func(context.Context, *bench.Env, O) (*findings, error),
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		p.sayTakes(*options)
		return p.bench(cmd, flags, func(ctx context.Context, benchEnv *bench.Env, _ *bench.Machine) (*findings, error) {
			return do(ctx, benchEnv, *options)
		})
	}
}

// sayTakes says how long a bench with these options takes, if that is known in advance.
func (p *program) sayTakes(options any) {
	if o, ok := options.(interface{ Takes() time.Duration }); ok {
		p.notef("This takes about %s. You can interrupt it: it then shows the measurements made so far.",
			max(time.Second, o.Takes().Round(time.Second)))
	}
}

// bench runs a measurement and shows its findings, also when it was interrupted.
func (p *program) bench(
	cmd *cobra.Command, flags *benchFlags, do func(context.Context, *bench.Env, *bench.Machine) (*findings, error),
) error {
	return p.measure(cmd, flags, func(ctx context.Context, benchEnv *bench.Env, machine *bench.Machine) error {
		found, err := do(ctx, benchEnv, machine)
		if found == nil || len(found.tables) == 0 {
			return err
		}
		if err != nil {
			p.notef("Interrupted; these are the measurements made so far.")
		}
		return errors.Join(err, p.show(found, flags, machine))
	})
}
