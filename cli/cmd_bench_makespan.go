package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
)

func (p *program) benchMakespanCommand(flags *benchFlags) *cobra.Command {
	var o bench.MakespanOptions
	cmd := &cobra.Command{
		Use:   "makespan",
		Short: "Measure the makespan of uneven work",
		Long: `Makespan processes files whose times are known, with a handler that sleeps, and
compares the time from submission to the end with the ideal: the sum of all times
divided by the number of slots. It measures nine videos on three workers, and
10,000 thumbnails with 20 videos on two workers, with the videos first, last and
in between. Each measurement starts without learnt costs.`,
		Example: `  baler bench makespan
  baler bench makespan --repeat 1 --json`,
		Args: cobra.NoArgs,
		RunE: measured(p, flags, &o, p.benchMakespan),
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Thumbnails, "files", 10_000, "`N` thumbnails, and a video for every 500")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	return cmd
}

func (p *program) benchMakespan(ctx context.Context, benchEnv *bench.Env, o bench.MakespanOptions) (*findings, error) {
	var all []bench.Makespan
	err := benchEnv.Makespan(ctx, o, reporter(p, &all))
	medians, targets := bench.SummarizeMakespans(all)
	list := newTable(words("WORK"), numbers("WORKERS"), numbers("IDEAL"), numbers("TOOK"), numbers("OF IDEAL"))
	for _, m := range medians {
		list.row(m.Work, strconv.Itoa(m.Workers), millis(m.Ideal), millis(m.Seconds), fmt.Sprintf("%.2f", m.Ratio))
	}
	f := &findings{
		title: "How evenly work is shared", charts: []chart.Chart{bench.MakespanChart(all)},
		lead: "Files that take a known time, on workers with one slot each; costs are unknown at the beginning.",
	}
	f.add("Makespan", list)
	return p.judged(f, targets, err)
}

// benchWorkerCommand is a worker with the handler that bench makespan needs.
func (p *program) benchWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run a worker with the handlers of bench makespan", Example: "  baler bench worker",
		Long: "Worker is the process that bench makespan measures.",
		Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := bench.FakeHandlers()
			if err != nil {
				return err
			}
			open := func(ctx context.Context, cfg config.Config, o baler.Options) (*baler.Baler, error) {
				o.Registry = registry
				return baler.Open(ctx, cfg, o)
			}
			return p.with(cmd, open, func(ctx context.Context, b *baler.Baler, _ config.Config) error { return b.Work(ctx) })
		},
	}
}
