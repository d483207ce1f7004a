package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

type exportFlags struct {
	format string
	output string
	force  bool
}

// exportObject is what export reports with --json.
type exportObject struct {
	Type     string `json:"type"` // always "export"
	Transfer string `json:"transfer"`
	State    string `json:"state"` // of the transfer when it was exported
	Format   string `json:"format"`
	Output   string `json:"output"`
	Files    int64  `json:"files"` // 0 in formats that have only results
	Results  int64  `json:"results"`
}

func (p *program) exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "Export a transfer with all of its results",
		Long: `Export writes a transfer to standard output or to a file. JSON lines have all of it:
what the transfer is, its files, its results, and at the end their numbers and a
digest; 'baler import' reads them. CSV and Parquet have one row for each result, with
the facts as JSON.

The export shows the transfer as it is at this moment, also when it still runs. With
--output the file appears under its name when it is complete, and an existing one is
an error unless --force is given. Without --format, the end of the name says which.`,
		Example: `  baler export latest --output scans.jsonl
  baler export 12 --output results.parquet
  baler export 12 --format csv | gzip > results.csv.gz`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completeTransfers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(p); err != nil {
				return err
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				return p.export(ctx, b, args[0], &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.format, "format", "", "`FORMAT`: jsonl, csv or parquet (default: by the name of the output, else jsonl)")
	flags.StringVarP(&f.output, "output", "o", "", "write to `FILE` instead of standard output")
	flags.BoolVar(&f.force, "force", false, "replace an existing FILE")
	complete(cmd, "format", exportFormats()...)
	return cmd
}

func exportFormats() (names []string) {
	for _, f := range baler.ExportFormats() {
		names = append(names, string(f))
	}
	return names
}

// check completes the flags.
func (f *exportFlags) check(p *program) error {
	if f.force && f.output == "" {
		return usagef("--force is for --output")
	}
	if f.format == "" {
		f.format = string(baler.ExportJSONLines)
		if end := strings.TrimPrefix(filepath.Ext(f.output), "."); slices.Contains(exportFormats(), end) {
			f.format = end
		}
	}
	if !slices.Contains(exportFormats(), f.format) {
		return usagef("--format %q must be jsonl, csv or parquet%s", f.format, didYouMean(f.format, exportFormats()...))
	}
	if _, shown := terminal(p.stdout.w); shown && f.output == "" {
		return usagef("standard output is a terminal: give --output FILE, or redirect it; 'baler results' shows results")
	}
	return nil
}

func (p *program) export(ctx context.Context, b system, id string, f *exportFlags) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	format := baler.ExportFormat(f.format)
	if f.output == "" {
		w := bufio.NewWriterSize(p.stdout, 64<<10)
		done, err := b.Export(ctx, t.UUID, format, w)
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			return err
		}
		p.noteUnfinished(&done)
		return nil
	}
	out, err := newOutputFile(f.output, f.force)
	if err != nil {
		return err
	}
	done, err := b.Export(ctx, t.UUID, format, out)
	if err != nil {
		return errors.Join(err, out.discard())
	}
	if err := out.commit(); err != nil {
		return err
	}
	p.noteUnfinished(&done)
	if p.json {
		return p.object(exportObject{
			"export", t.UUID, string(done.Transfer.State), f.format, printable(f.output), done.Files, done.Results,
		})
	}
	what := plural(done.Results, "result")
	if format == baler.ExportJSONLines {
		what = plural(done.Files, "file") + " and " + what
	}
	p.printf("Exported %s of transfer %s to %s.", what, number(&t), printable(f.output))
	return nil
}

// noteUnfinished says that the output does not have all that the transfer will have.
func (p *program) noteUnfinished(done *baler.ExportReport) {
	if !done.Transfer.State.Ended() {
		p.notef("note: the transfer is %s; the export has what was recorded when it began: %s",
			done.Transfer.State, fmt.Sprintf("%d of %s finished", done.Transfer.Finished, plural(done.Transfer.Files, "file")))
	}
}
