package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
)

func (p *program) benchCommitCommand(flags *benchFlags) *cobra.Command {
	var o bench.CommitOptions
	cmd := &cobra.Command{
		Use:   "commit",
		Short: "Compare single files and batches, with and without flushing",
		Long: `Commit measures a few files in four ways: one asynq task and one INSERT a file, or
in batches by Baler; with a database that flushes every commit to disk
(innodb_flush_log_at_trx_commit = 1) or that does not (0). On a given database the
account must be allowed to set that; it is put back in the end.

Baler's time begins before the scan. For a few files, most of it is time in which
its processes wait for each other.`,
		Example: `  baler bench commit
  baler bench commit --files 5000 --batch 500 --json`,
		Args: cobra.NoArgs,
		RunE: measured(p, flags, &o, p.benchCommit),
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Files, "files", 500, "`N` files")
	numberFlag(cmd, &o.Batch, "batch", 128, "`N` files in a batch")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	return cmd
}

func (p *program) benchCommit(ctx context.Context, benchEnv *bench.Env, o bench.CommitOptions) (*findings, error) {
	var all []bench.Measurement
	err := benchEnv.Commit(ctx, o, reporter(p, &all))
	list := newTable(words("WAY"), numbers("BATCH"), words("EVERY COMMIT"), numbers("SECONDS"), numbers("FILES/S"), numbers("SLOWEST"),
		numbers("FASTEST"))
	rows := bench.Results(all)
	for i := range rows {
		r := &rows[i]
		flushed := "flushed"
		if r.Flush != nil && *r.Flush == 0 {
			flushed = "not flushed"
		}
		list.row(string(r.Variant), strconv.Itoa(r.Batch), flushed, fmt.Sprintf("%.3f", r.Seconds), rate(r.FilesPerSecond),
			rate(r.Slowest), rate(r.Fastest))
	}
	f := &findings{
		title: "A few files one by one and in batches", charts: []chart.Chart{bench.CommitChart(rows)},
		lead: fmt.Sprintf("%d files, with a database that flushes every commit to disk and with one that does not.", o.Files),
	}
	f.add("Files a second", list)
	return f, err
}
