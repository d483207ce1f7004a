package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
)

func (p *program) benchPipelineCommand(flags *benchFlags) *cobra.Command {
	var (
		o   bench.PipelineOptions
		via []string
	)
	cmd := &cobra.Command{
		Use:   "pipeline",
		Short: "Measure throughput from scan to last result",
		Long: `Pipeline measures how many files a second go through a step that does nothing,
from before the scan to the last result, for every combination of way, workers
and batch size. Beside them, in the same round, it measures

  limit        INSERTs of 1000 rows: a file row and a result row for each file,
               over 1, 2 and 4 connections, of which the fastest counts
  limit-short  the same, leaving out the columns that hold their default in every
               row, as Baler's own INSERTs do
  per-file     one asynq task and one INSERT a file, for a 20th of the files
  asynq-group  asynq's own aggregation into batches of 100, one group, one
               INSERT a batch, for 2000 files at most
  cpu          checksums of large files on one and on two workers that have one
               processor each, when --workers names both

The files are empty ones in folders of 1000, made once. With several sizes it
shows how the cost of a file grows, and measures the baselines with the last one. Workers
and the producer are processes of their own; the baselines run inside this one. Of
several rounds the median counts. The design's targets come last.`,
		Example: `  baler bench pipeline
  baler bench pipeline --files 50000 --workers 2 --batch 500,1000 --repeat 1
  baler bench pipeline --files 10000,100000,1000000 --via bulk --svg growth.svg
  baler bench pipeline --via bulk --json`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) (err error) {
			o.Via, err = parseWays(via)
			return err
		},
		RunE: measured(p, flags, &o, p.benchPipeline),
	}
	cmd.Flags().SortFlags = false
	o.Files = []int{200_000}
	cmd.Flags().Var(positives{&o.Files}, "files", "`NUMBERS` of files in a transfer")
	cmd.Flags().StringSliceVar(&via, "via", []string{"bulk", "group"}, "`MODES` of dispatch")
	o.Workers, o.Batches = []int{1, 2}, []int{128, 500, 1000}
	cmd.Flags().Var(positives{&o.Workers}, "workers", "`NUMBERS` of worker processes")
	cmd.Flags().Var(positives{&o.Batches}, "batch", "`NUMBERS` of files in a batch")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	complete(cmd, "via", "bulk", "group")
	return cmd
}

func (p *program) benchPipeline(ctx context.Context, benchEnv *bench.Env, o bench.PipelineOptions) (*findings, error) {
	var all []bench.Measurement
	err := benchEnv.Pipeline(ctx, o, reporter(p, &all))
	rows := bench.Results(all)
	f := &findings{
		title: "From a folder to recorded results", charts: bench.PipelineCharts(rows, o.Files[len(o.Files)-1]),
		lead: "Files a second through a step that does nothing, compared with the fastest INSERTs into the database " +
			"and with one task and one INSERT per file.",
	}
	f.add("Files a second", rates(rows))
	var stolen []float64
	for i := range rows {
		stolen = append(stolen, rows[i].StolenRounds()...)
	}
	f.stolen(stolen)
	f.add("Processor time a file, and peak memory of the largest process of a kind", uses(rows))
	return p.judged(f, bench.Targets(rows), err)
}

func rates(rows []bench.MeasurementSummary) *table {
	list := newTable(words("WAY"), numbers("WORKERS"), numbers("BATCH"), numbers("FILES"), numbers("FILES/S"), numbers("SLOWEST"),
		numbers("FASTEST"), numbers("OF LIMIT"), numbers("× PER-FILE"), numbers("× ASYNQ-GROUP"), words("STOLEN"))
	for i := range rows {
		r := &rows[i]
		list.row(string(r.Variant), strconv.Itoa(r.Workers), strconv.Itoa(r.Batch), count(int64(r.Files)), rate(r.FilesPerSecond),
			rate(r.Slowest), rate(r.Fastest), ratio(r.RatioToLimit), ratio(r.AgainstPerFile), ratio(r.AgainstAsynqGroup),
			bench.Stolen(r.StolenRounds()))
	}
	return list
}

func uses(rows []bench.MeasurementSummary) *table {
	list := newUses(words("WAY"), numbers("WORKERS"), numbers("BATCH"), numbers("FILES"))
	for i := range rows {
		r := &rows[i]
		list.row(r.CPUSeconds, r.PeakRSS, r.Files, string(r.Variant), strconv.Itoa(r.Workers), strconv.Itoa(r.Batch), count(int64(r.Files)))
	}
	return list.table
}
