package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

type loadFlags struct {
	load               baler.LoadOptions
	chunk, name, queue string
	wait, quiet        bool
	weight             int
	acceptFailures     bool

	added []string // columns that were added to the table
}

func (p *program) loadCommand() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   "load FILE... --into TABLE",
		Short: "Load JSON lines into a database table",
		Long: `Load splits files of JSON lines into chunks, which workers insert into a database
table in bulk, each line once. Compressed files (gzip, zstd, bzip2, xz) are not
split. Files may be objects, as in s3://bucket/prefix. Lines that are not JSON or do
not fit the table are rejected, with their number and the reason: see
'baler results ID --rejected'.

With the embedded queue everything runs in this process; run the same command
again to continue after an interruption. It exits with 3 if lines were rejected
or files failed.`,
		Example: `  baler load events.jsonl --into events --create --key id
  baler load *.jsonl.gz --into events --line-contains '"click"' --line-column doc
  baler load events.jsonl --into clicks --map id --map who=user.name --map at=time:time`,
		Args: func(cmd *cobra.Command, args []string) error {
			if slices.Contains(args, "-") {
				return usagef("load cannot read standard input, because it can neither be split nor read again after a failure; " +
					"write it to a file first")
			}
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return err
			}
			return checkPaths(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.load.Into == "" {
				return usagef("--into is required: it names the table to load into")
			}
			if err := checkWeight(f.weight); err != nil {
				return err
			}
			size, err := config.ParseSize(f.chunk)
			if err != nil {
				return usagef("--chunk %w", err)
			}
			f.load.ChunkSize = int64(size)
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				f.load.OnColumnsAdded = func(names []string) {
					f.added = names
					if !f.quiet {
						p.notef("Columns were added to table %s; they are NULL in existing rows: %s.", f.load.Into, nameList(names))
					}
				}
				s := baler.Submission{Paths: args, Name: f.name, Queue: f.queue, Weight: f.weight, AcceptFailures: f.acceptFailures}
				if s.Recipe, err = b.LoadRecipe(ctx, f.load, args); err != nil {
					return err
				}
				if f.acceptFailures && !embedded(cfg) {
					return usagef("--accept-failures is for loads in this process; here, each load is a transfer of its own")
				}
				if embedded(cfg) {
					return p.loadHere(ctx, b, s, &f)
				}
				return p.loadByWorkers(ctx, b, s, &f)
			})
		},
	}
	f.add(cmd)
	return cmd
}

func (f *loadFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.load.Into, "into", "", "`TABLE` to load into")
	flags.StringArrayVar(&f.load.Map, "map", nil,
		"value of a column, as `COLUMN=PATH[:TYPE]`; repeat for each (default: the member with the column's name)")
	flags.StringVar(&f.load.LineColumn, "line-column", "", "`COLUMN` that stores the whole line as JSON")
	flags.StringVar(&f.load.LineContains, "line-contains", "", "skip lines that do not contain this `TEXT`, before parsing them")
	flags.StringSliceVar(&f.load.Key, "key", nil, "`COLUMNS` that identify duplicates")
	flags.StringVar(&f.load.OnDuplicate, "on-duplicate", "",
		"`ACTION` on duplicates: ignore, update or error (default: ignore with a key, else error)")
	flags.BoolVar(&f.load.Create, "create", false, "create the table if it does not exist, from the mapping or all lines of the files; "+
		"add columns to one that it created before")
	flags.StringVar(&f.chunk, "chunk", "8MiB", "`SIZE` of the chunks that files are split into")
	flags.StringVar(&f.name, "name", "", "`NAME` of the transfer (default: the first path)")
	flags.BoolVar(&f.acceptFailures, "accept-failures", false,
		"accept the failures of earlier loads: load those files again only when they change")
	flags.Var(checked{&f.queue, tasks.CheckQueue}, "queue", "`QUEUE` to use (default: default)")
	weightFlag(cmd, &f.weight)
	flags.BoolVar(&f.wait, "wait", true, "wait until it has ended, with progress; --wait=false prints the transfer's id")
	concurrencyFlag(cmd)
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress, notes or report; only set the exit code")
	complete(cmd, "on-duplicate", string(tableload.DuplicateIgnore), string(tableload.DuplicateUpdate), string(tableload.DuplicateError))
}

// loadHere loads the files in this process.
func (p *program) loadHere(ctx context.Context, b *baler.Baler, s baler.Submission, f *loadFlags) error {
	notes := &skippedFiles{p: p, quiet: f.quiet}
	follower := p.followLoad(ctx, b, f.quiet)
	s.OnSkipped, s.OnCreated = notes.see, follower.begin
	ran, err := b.Run(ctx, s)
	ran.Transfer = reloadTransfer(ctx, b, ran.Transfer)
	follower.end()
	notes.end()
	if err != nil {
		return p.interrupted(ctx, &ran.Transfer, err)
	}
	if !ran.FoundChanges && !f.quiet {
		p.notef("No changes since transfer %s loaded these files at %s.", number(&ran.Transfer), local(ran.Transfer.EndedAt))
	}
	if !f.quiet {
		p.noteEarlierRuns(&ran)
	}
	return p.reportLoad(ctx, b, &ran.Transfer, f, runCode(&ran))
}

// loadByWorkers registers the chunks for the running workers.
func (p *program) loadByWorkers(ctx context.Context, b *baler.Baler, s baler.Submission, f *loadFlags) error {
	notes := &skippedFiles{p: p, quiet: f.quiet}
	follower := p.followLoad(ctx, b, f.quiet || !f.wait)
	s.OnSkipped, s.OnCreated = notes.see, follower.begin
	t, created, err := b.Submit(ctx, s)
	notes.end()
	if err != nil {
		follower.end()
		return p.submitStopped(ctx, direct{b}, &t, err)
	}
	if !f.wait {
		follower.end()
		if !f.quiet {
			p.noteUnserved(ctx, direct{b}, &t)
		}
		return p.printTransfer(&t, origin{created: created}, false)
	}
	if !f.quiet {
		p.noteBlockers(ctx, direct{b}, &t)
	}
	ended, err := b.Wait(ctx, t.UUID, nil)
	follower.end()
	if err != nil {
		return p.notWaiting(ctx, number(&t), err)
	}
	t = ended
	return p.reportLoad(ctx, b, &t, f, failed(&t))
}

// loadSummary is the JSON object that load reports.
type loadSummary struct {
	Type     string      `json:"type"` // always "load"
	Transfer string      `json:"transfer"`
	State    tasks.State `json:"state"`
	Failed   int64       `json:"failed"` // files and chunks
	tasks.LoadCounts
	UnmappedMembers []string `json:"unmapped_members,omitempty"` // some of their names
	AddedColumns    []string `json:"added_columns,omitempty"`    // for new members
	late            bool     // all unmapped members have a column by now
	Seconds         float64  `json:"seconds"`
	LinesPerSecond  float64  `json:"lines_per_second"`
}

// reportLoad reports the counts of a load, and returns code unless lines were rejected.
func (p *program) reportLoad(ctx context.Context, b *baler.Baler, t *tasks.Transfer, f *loadFlags, code error) error {
	counts, err := b.LoadCounts(ctx, *t)
	if err != nil {
		return err
	}
	sum := tasks.Summarize(t, p.now())
	s := loadSummary{
		Type: "load", Transfer: t.UUID, State: t.State, Failed: failuresOf(t), LoadCounts: counts, Seconds: sum.Seconds,
		AddedColumns: f.added,
	}
	if counts.Unmapped > 0 {
		if s.UnmappedMembers, err = b.UnmappedMembers(ctx, *t); err != nil {
			return err
		}
		late, err := b.MembersWithColumn(ctx, f.load.Into, s.UnmappedMembers)
		if err != nil {
			return err
		}
		s.late = len(late) == len(s.UnmappedMembers)
	}
	if sum.Seconds > 0 {
		s.LinesPerSecond = float64(int64(float64(counts.Lines)/sum.Seconds*10)) / 10
	}
	switch {
	case p.json:
		if err := p.object(s); err != nil {
			return err
		}
	case !f.quiet:
		p.showLoad(t, &s)
		if err := p.reportFailures(ctx, p.stdout, direct{b}, t); err != nil {
			return err
		}
	}
	if counts.Bad > 0 {
		return codeError(exitFailures)
	}
	return code
}

func (p *program) showLoad(t *tasks.Transfer, s *loadSummary) {
	p.printf("Transfer %s %s", number(t), stateOf(t))
	p.printf("%s (%s) in %s, %s lines/s", plural(s.Lines, "line"), size(s.Bytes),
		span(time.Duration(s.Seconds*float64(time.Second))), count(int64(s.LinesPerSecond)))
	list := newTable(numbers("LOADED"), numbers("SKIPPED"), numbers("DUPLICATES"), numbers("REJECTED"), numbers("UNCHANGED"))
	list.row(count(s.Loaded), count(s.Skipped), count(s.Duplicates), count(s.Bad), count(s.Unchanged))
	p.printf("")
	list.write(p.stdout)
	if s.Unmapped > 0 {
		p.printf("\nLeft out: %s of members without a column: %s", plural(s.Unmapped, "value"), nameList(s.UnmappedMembers))
		if !s.late {
			p.printf("Add columns for them, or map them to columns with --map.")
		}
	}
	if s.Bad > 0 {
		p.printf("\nList the rejected lines: baler results %s --rejected", number(t))
	}
}

// mostNames is how many names a report lists.
const mostNames = 20

func nameList(names []string) string {
	more := ""
	if len(names) > mostNames {
		names, more = names[:mostNames], ", …"
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name) // names in a file may hold any character
	}
	return strings.Join(quoted, ", ") + more
}
