package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
	"github.com/balerhq/baler/tasks"
)

func (p *program) benchLatencyCommand(flags *benchFlags) *cobra.Command {
	var (
		o   bench.LatencyOptions
		via []string
	)
	cmd := &cobra.Command{
		Use:   "latency",
		Short: "Measure the latency from file to result",
		Long: `Latency measures the time from a file to its visible result, at several shares of
the capacity of one worker, which it measures first, with --files:

  group  files trickle into one open transfer
  bulk   each file is a transfer of its own; the capacity is that of such transfers

Files are due at even intervals, however late earlier ones are; the time of a file
counts from when it was due. When the machine cannot keep up with a load, the table
says so and has no latency. Of several rounds it shows the median, and beside it the
least and the most.

At low load nearly all of the time is waiting; the settings that decide how long are
below the table.`,
		Example: `  baler bench latency
  baler bench latency --load 1,50 --seconds 30 --via group --json
  baler bench latency --via group --delay 50ms,250ms,1s --load 1,10,50`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) (err error) {
			for _, d := range o.Delays {
				if d <= 0 {
					return usagef("--delay %s: give a time above 0, such as 250ms", d)
				}
			}
			o.Via, err = parseWays(via)
			return err
		},
		RunE: measured(p, flags, &o, p.benchLatency),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringSliceVar(&via, "via", []string{"group", "bulk"}, "`MODES` of dispatch")
	o.Loads = []int{1, 10, 50, 90}
	cmd.Flags().Var(positives{&o.Loads}, "load", "`PERCENT` of the capacity, several")
	cmd.Flags().DurationSliceVar(&o.Delays, "delay", nil, "`TIMES` for group.max_delay, several (default: that of the settings)")
	cmd.Flags().Lookup("delay").DefValue = "" // the text says what it is
	numberFlag(cmd, &o.Seconds, "seconds", 10, "`N` seconds that files come for at each load")
	numberFlag(cmd, &o.Files, "files", 200_000, "`N` files to measure the capacity with; a 100th for bulk")
	numberFlag(cmd, &o.Batch, "batch", 500, "`N` files in a batch at most")
	numberFlag(cmd, &o.Repeat, "repeat", 3, "`N` rounds")
	complete(cmd, "via", "bulk", "group")
	return cmd
}

// parseWays parses the values of several --via flags.
func parseWays(names []string) ([]tasks.Via, error) {
	var ways []tasks.Via
	for _, name := range names {
		v, err := tasks.ParseVia(name, "")
		if err != nil || v == "" {
			return nil, usagef("unknown way %q: one of group, bulk", name)
		}
		ways = append(ways, v)
	}
	return ways, nil
}

func (p *program) benchLatency(ctx context.Context, benchEnv *bench.Env, o bench.LatencyOptions) (*findings, error) {
	settings := benchEnv.LatencySettings(o)
	if p.json {
		if err := p.object(settings); err != nil {
			return nil, err
		}
	}
	var all []bench.Latency
	err := benchEnv.Latency(ctx, o, reporter(p, &all))
	rows := bench.LatencyRows(all)
	f := &findings{
		title: "Time from a file to its result", charts: []chart.Chart{bench.LatencyChart(rows)},
		lead: "Files come at even intervals, at shares of the capacity of one worker; the time of each counts from when it was due.",
	}
	f.add("Latency", latencies(rows))
	var stolen []float64
	for i := range rows {
		stolen = append(stolen, rows[i].Stolen...)
	}
	f.stolen(stolen)
	span := func(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }
	f.notef("These settings determine the waiting: group.max_delay as in the table, group.max_size %s, dispatch.interval %s,"+
		" record.max_delay %s; batches of %d files.",
		count(int64(settings.GroupSize)), span(settings.Dispatch), span(settings.RecordDelay), o.Batch)
	return f, err
}

func latencies(rows []bench.LatencyRow) *table {
	list := newTable(words("WAY"), numbers("DELAY"), numbers("LOAD"), numbers("FILES/S"), numbers("SAMPLES"),
		numbers("MEDIAN"), numbers("LEAST"),
		numbers("MOST"), numbers("99 %"), numbers("LEAST"), numbers("MOST"), words("STOLEN"), words(""))
	for i := range rows {
		r := &rows[i]
		delay := ""
		if r.Delay > 0 {
			delay = millis(float64(r.Delay) / 1000)
		}
		cells := []string{string(r.Variant), delay, fmt.Sprintf("%d %%", r.Load), rateOf(r.Offered), strconv.Itoa(r.Samples)}
		for _, ms := range []float64{r.P50, r.P50s.Least, r.P50s.Most, r.P99, r.P99s.Least, r.P99s.Most} {
			cell := ""
			if r.KeptUp {
				cell = millis(ms / 1000)
			}
			cells = append(cells, cell)
		}
		list.row(append(cells, bench.Stolen(r.Stolen), fellBehind(r))...)
	}
	return list
}

// fellBehind returns a note when the machine did not keep up with the load of a row.
func fellBehind(r *bench.LatencyRow) string {
	switch {
	case r.Behind == 0:
		return ""
	case r.KeptUp:
		return fmt.Sprintf("fell behind in %d of %d rounds", r.Behind, r.Repeats)
	}
	return fmt.Sprintf("falls behind: finishes about %s files/s", rateOf(r.Finished))
}

// rateOf is a rate that may be small.
func rateOf(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return rate(perSecond)
}

func millis(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
