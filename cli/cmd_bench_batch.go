package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
)

// kneeShare is the share of the best rate from which on larger batches hardly help.
const kneeShare = 0.9

func (p *program) benchBatchCommand(flags *benchFlags) *cobra.Command {
	var o bench.BatchOptions
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Measure throughput by batch size and number of workers",
		Long: `Batch measures files a second over batch sizes and numbers of workers. The files are
submitted in bulk, and go through a step that does nothing. The tables also show the
share of the machine that workers, Redis and the database keep busy, and the limit:
INSERTs of 1000 rows and nothing else. Small batches are measured with fewer
files, as the table says: 2000 batches make a point.`,
		Example: `  baler bench batch --html batch.html
  baler bench batch --files 20000 --batch 10,100,1000 --workers 1 --repeat 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.sayTakes(o)
			return p.bench(cmd, flags, func(ctx context.Context, benchEnv *bench.Env, m *bench.Machine) (*findings, error) {
				return p.benchBatch(ctx, benchEnv, o, m.Cores)
			})
		},
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Files, "files", 200_000, "at most `N` files")
	o.Batches, o.Workers = []int{1, 10, 50, 100, 500, 1000, 2000, 5000}, []int{1, 2}
	cmd.Flags().Var(positives{&o.Batches}, "batch", "`NUMBERS` of files in a batch")
	cmd.Flags().Var(positives{&o.Workers}, "workers", "`NUMBERS` of worker processes")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	return cmd
}

func (p *program) benchBatch(ctx context.Context, benchEnv *bench.Env, o bench.BatchOptions, cores int) (*findings, error) {
	var all []bench.Measurement
	err := benchEnv.Batch(ctx, o, reporter(p, &all))
	rows := bench.Results(all)
	f := &findings{
		title: "Batch size and workers", charts: bench.BatchCharts(rows, cores),
		lead: "Files a second by the bulk way through a step that does nothing, over the number of files in a batch.",
	}
	columns := []column{words("WAY"), numbers("WORKERS"), numbers("BATCH"), numbers("FILES"), numbers("FILES/S"), numbers("SLOWEST"),
		numbers("FASTEST"), numbers("OF LIMIT")}
	shown := slices.DeleteFunc(bench.ProcessKinds(), func(kind string) bool { return kind == "bench" })
	for _, kind := range shown {
		columns = append(columns, numbers(kind+" %"))
	}
	list := newTable(append(columns, words(""))...)
	for i := range rows {
		r := &rows[i]
		cells := []string{
			string(r.Variant), strconv.Itoa(r.Workers), strconv.Itoa(r.Batch), count(int64(r.Files)), rate(r.FilesPerSecond),
			rate(r.Slowest), rate(r.Fastest), ratio(r.RatioToLimit),
		}
		for _, kind := range shown {
			cell := ""
			if _, ok := r.CPUSeconds[kind]; ok {
				cell = fmt.Sprintf("%.0f", 100*r.Share(kind, cores))
			}
			cells = append(cells, cell)
		}
		mark := ""
		if _, best := bench.KneePoint(rows, r.Workers, 1); r.Variant == bench.VariantBulk && best.Batch == r.Batch {
			mark = "best"
		}
		list.row(append(cells, mark)...)
	}
	f.add("Files a second, and the share of the machine that each kind of process kept busy", list)
	for _, workers := range o.Workers {
		knee, best := bench.KneePoint(rows, workers, kneeShare)
		if best.Batch > 0 {
			f.notef("With %s, batches of %s reach %.0f %% of the best, %s files/s at %s.", plural(int64(workers), "worker"),
				count(int64(knee.Batch)), 100*knee.FilesPerSecond/best.FilesPerSecond, rate(best.FilesPerSecond), count(int64(best.Batch)))
		}
	}
	return f, err
}
