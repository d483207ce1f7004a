package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/chart"
	"github.com/balerhq/baler/internal/bench/simulation"
)

// simulateFlags are the flags of bench simulate.
type simulateFlags struct {
	workers            []int
	slots, kill        int
	perFile, roundTrip time.Duration
	lasting            time.Duration
}

func (p *program) benchSimulateCommand(flags *benchFlags) *cobra.Command {
	var o simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Simulate the dispatcher with a fleet of workers",
		Long: `Simulate runs Baler's own dispatcher on fleets of workers that do not exist, with a
ledger and a queue in memory and a simulated clock. It shows whether one transfer keeps
all workers busy, how much the dispatcher has to do, and after how long the batches of
workers that die run again. When half of the files are done, the share --kill of the
workers dies, and the dispatcher that leads.

It needs no servers, and does not measure them: each call of the ledger or the queue
takes --round-trip, whatever it reads or writes.`,
		Example: `  baler bench simulate
  baler bench simulate --workers 1000,3000 --slots 16 --per-file 2ms --svg fleet.svg`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if o.perFile <= 0 || o.roundTrip < 0 || o.lasting <= 0 {
				return usagef("--per-file and --lasting must be above 0, and --round-trip not below")
			}
			if o.kill > 99 {
				return usagef("--kill %d: some workers must live; give 99 at most", o.kill)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownSettings(cmd)
			if err != nil {
				return err
			}
			return p.simulate(cmd.Context(), flags, &o, &cfg)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.workers = []int{1, 10, 100, 1000}
	f.Var(positives{&o.workers}, "workers", "`N` workers, several")
	numberFlag(cmd, &o.slots, "slots", 4, "`N` batches that a worker runs at once")
	durationVar(f, &o.perFile, "per-file", 10*time.Millisecond, "`TIME` that a file takes on average")
	durationVar(f, &o.lasting, "lasting", time.Minute, "simulated `TIME` that the files take at best; it sets their number")
	durationVar(f, &o.roundTrip, "round-trip", time.Millisecond, "`TIME` of a call of the ledger or the queue")
	numberFlag(cmd, &o.kill, "kill", 10, "`PERCENT` of the workers that die")
	return cmd
}

// simulate runs one fleet after another, and shows those that were run when it is interrupted.
func (p *program) simulate(ctx context.Context, flags *benchFlags, o *simulateFlags, cfg *config.Config) error {
	var all []simulation.Fleet
	report, failed := reporter(p, &all), error(nil)
	for i, workers := range o.workers {
		p.notef("[%d/%d] %s", i+1, len(o.workers), plural(int64(workers), "worker"))
		r, err := simulation.Run(ctx, simulation.Options{
			Workers: workers, Slots: o.slots, Files: max(1, int64(o.lasting/o.perFile)) * int64(workers*o.slots), PerFile: o.perFile,
			RoundTrip: o.roundTrip, Kill: workers * o.kill / 100, Seed: 1,
			Policy: cfg.Batch, Window: cfg.Dispatch.Window, Interval: cfg.Dispatch.Interval, Resend: cfg.Dispatch.Resend,
		})
		if err == nil {
			err = report(r)
		}
		if err != nil {
			failed = err
			break
		}
	}
	if len(all) == 0 {
		return failed
	}
	machine := &bench.Machine{Date: p.now().UTC().Format(time.RFC3339), Baler: buildInfo().Version}
	if err := p.show(fleetFindings(all), flags, machine); err != nil {
		return err
	}
	return failed
}

func fleetFindings(all []simulation.Fleet) *findings {
	list := newTable(numbers("WORKERS"), numbers("SLOTS"), numbers("FILES"), numbers("BATCHES"), numbers("TOOK"), numbers("OF IDEAL"),
		numbers("IN QUEUE"), numbers("CALLS"), numbers("PROCESSOR"), numbers("KILLED"), numbers("LOST"),
		numbers("AGAIN AFTER"), numbers("LEADER AFTER"))
	curve := chart.Chart{
		Title: "One transfer on a simulated fleet", Note: "simulated time against the handler's time divided by the slots",
		X: chart.Axis{Label: "workers", Log: true}, Y: chart.Axis{Label: "times the ideal"}, Lines: []chart.Line{{Name: "ideal", Y: 1}},
	}
	var points []chart.Point
	for i := range all {
		r := &all[i]
		again, leader := "–", "–"
		if r.Lost > 0 {
			again = fmt.Sprintf("%.1f…%.1f s", r.Recovered, r.RecoverMax)
			leader = fmt.Sprintf("%.1f s", r.NewLeader)
		}
		list.row(strconv.Itoa(r.Workers), strconv.Itoa(r.Slots), count(r.Files), strconv.Itoa(r.Batches), fmt.Sprintf("%.1f s", r.Seconds),
			ratio(r.Ratio), strconv.Itoa(r.PeakQueue), shareOf(r.Dispatcher), shareOf(r.Processor), strconv.Itoa(r.Killed),
			strconv.Itoa(r.Lost), again, leader)
		points = append(points, chart.Point{X: float64(r.Workers), Y: r.Ratio, Low: r.Ratio, High: r.Ratio})
	}
	curve.Series = []chart.Series{{Name: "a transfer", Points: points}}
	f := &findings{
		title: "A simulated fleet", lead: "The dispatcher as it is, with workers, a ledger and a queue that are simulated.",
		charts: []chart.Chart{curve},
	}
	f.add("Fleets", list)
	f.notef("IN QUEUE is the most batches that waited. CALLS is the share of the time in which the dispatcher waited for")
	f.notef("the ledger and the queue, PROCESSOR the processor time that it took on this machine, in a simulated second.")
	f.notef("LOST are the batches of the workers that were killed; AGAIN AFTER is when they ran again, the median and the")
	f.notef("longest time. LEADER AFTER is when another dispatcher led.")
	return f
}

func shareOf(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
