package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/bench"
)

func (p *program) benchLatencyCommand(flags *benchFlags) *cobra.Command {
	var o bench.LatencyOptions
	cmd := &cobra.Command{
		Use:   "latency",
		Short: "Measure how long one file takes to its result",
		Long: `Latency submits single files, each a transfer of its own, and measures how long
each takes from there to a result that others can see: by bulk and by group, on an
idle worker, and on one that is kept at about half of what it can do. That is
measured first, with --files.`,
		Example: `  baler bench latency
  baler bench latency --samples 100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.measure(cmd, flags.yes, func(ctx context.Context, place *bench.Place, _ *bench.Machine) error {
				return p.benchLatency(ctx, place, o)
			})
		},
	}
	cmd.Flags().SortFlags = false
	numberFlag(cmd, &o.Samples, "samples", 30, "`N` files of each way at each load")
	numberFlag(cmd, &o.Files, "files", 50_000, "`N` files to measure the capacity with")
	numberFlag(cmd, &o.Batch, "batch", 500, "`N` files in a batch of the load")
	return cmd
}

func (p *program) benchLatency(ctx context.Context, place *bench.Place, o bench.LatencyOptions) error {
	var all []bench.Latency
	if err := place.Latency(ctx, o, reporter(p, &all)); err != nil || p.json {
		return err
	}
	list := newTable(words("WAY"), numbers("LOAD"), numbers("SAMPLES"), numbers("SHORTEST"), numbers("MEDIAN"), numbers("99 %"),
		numbers("LONGEST"))
	for _, l := range all {
		list.row(string(l.Way), fmt.Sprintf("%.0f %%", l.Load*100), strconv.Itoa(l.Samples), millis(l.Min), millis(l.Median),
			millis(l.P99), millis(l.Max))
	}
	list.write(p.stdout)
	return nil
}

func millis(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
