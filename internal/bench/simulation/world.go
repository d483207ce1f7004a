package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Options configure a fleet. All fields but Kill are required.
type Options struct {
	Workers   int
	Slots     int           // batches that a worker runs at once
	Files     int64         // of the transfer
	PerFile   time.Duration // that the handler takes on average
	RoundTrip time.Duration // of a call of the ledger or the queue
	Kill      int           // workers that die when half of the files have results, with the leader of the dispatchers
	Seed      uint64

	Policy   tasks.BatchPolicy
	Window   int
	Interval time.Duration
	Resend   time.Duration
}

// Fleet is how a fleet has processed a transfer. It is a line of the JSON output.
type Fleet struct {
	Type       string  `json:"type"` // always "fleet"
	Workers    int     `json:"workers"`
	Slots      int     `json:"slots"` // of all workers
	Files      int64   `json:"files"`
	Batches    int     `json:"batches"`
	Ideal      float64 `json:"ideal_seconds"` // the handler's time of all files, divided by the slots
	Seconds    float64 `json:"seconds"`
	Ratio      float64 `json:"ratio"`                 // of the two
	PeakQueue  int     `json:"peak_queue"`            // batches in the queue at most
	Dispatcher float64 `json:"dispatcher_busy"`       // share of the time in which the dispatcher waited for its calls
	Processor  float64 `json:"dispatcher_processor"`  // seconds that this machine computed for it in a simulated second
	Killed     int     `json:"killed"`                // workers
	Lost       int     `json:"lost_batches"`          // that the killed workers ran
	Recovered  float64 `json:"recovered_seconds"`     // until they ran again, the median
	RecoverMax float64 `json:"recovered_max_seconds"` // and the longest
	NewLeader  float64 `json:"new_leader_seconds"`    // until another dispatcher led
}

// world is the simulated fleet with its ledger and its queue.
type world struct {
	rest

	options Options
	clock   clock
	random  *rand.Rand
	plan    *dispatch.TransferPlan
	result  Fleet

	backlog ledger.Backlog
	ledger  map[int64]*record
	queue   []*record
	workers []*worker
	idle    []*worker // one entry a slot
	batches int
	done    int64 // files with a result
	calls   int   // of the ledger and the queue in this round of a dispatcher

	dispatching time.Duration // of dispatchers that lead
	computing   time.Duration // for them, on this machine
	recovered   []float64     // seconds
	leader      string
	leadsUntil  time.Time
	leaderDied  time.Time
}

const recipeOfAll = "name: simulation\nsteps: [{handler: noop}]\n"

// Run simulates a transfer until all of its files have a result.
func Run(ctx context.Context, o Options) (Fleet, error) {
	w := &world{
		options: o, random: rand.New(rand.NewPCG(o.Seed, uint64(o.Workers))), ledger: make(map[int64]*record),
		clock: clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		backlog: ledger.Backlog{
			Transfer: 1, Via: tasks.ViaBulk, Sealed: true, Files: o.Files, Bytes: o.Files * fileSize, Queue: tasks.DefaultQueue, Weight: 1,
		},
	}
	for range o.Workers {
		k := new(worker)
		w.workers = append(w.workers, k)
		for range o.Slots {
			w.idle = append(w.idle, k)
		}
	}
	cache := dispatch.NewTransferCache(func(context.Context, int64) (tasks.Transfer, error) {
		return tasks.Transfer{ID: 1, UUID: "simulated", Queue: tasks.DefaultQueue, Via: tasks.ViaBulk, Recipe: recipeOfAll}, nil
	}, func(*recipe.Step) tasks.BatchPolicy { return o.Policy })
	cache.Costs = cost.NewModel("fleet", w.now)
	var err error
	if w.plan, err = cache.Get(ctx, 1); err != nil {
		return Fleet{}, err
	}
	for _, name := range []string{"first", "second"} {
		w.dispatch(ctx, name, cache)
	}
	return w.result, w.finish(ctx)
}

func (w *world) now() time.Time { return w.clock.now }

// finish lets the time pass until all files have results.
func (w *world) finish(ctx context.Context) error {
	o, began := &w.options, w.clock.now
	ideal := time.Duration(o.Files) * o.PerFile / time.Duration(o.Workers*o.Slots)
	for w.done < o.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.clock.now.Sub(began) > 100*ideal+time.Hour || !w.clock.next() {
			return fmt.Errorf("the simulated fleet stands still with %d of %d files done", w.done, o.Files)
		}
		if o.Kill > 0 && w.leaderDied.IsZero() && w.done >= o.Files/2 {
			w.kill()
		}
	}
	if w.done != o.Files || len(w.ledger) > 0 || w.backlog.Open != 0 {
		return errors.New("the simulated fleet has processed files twice")
	}
	took := w.clock.now.Sub(began)
	r := &w.result
	r.Type, r.Workers, r.Slots, r.Files, r.Batches, r.Killed = "fleet", o.Workers, o.Workers*o.Slots, o.Files, w.batches, o.Kill
	r.Ideal, r.Seconds = ideal.Seconds(), took.Seconds()
	r.Ratio, r.Dispatcher = r.Seconds/r.Ideal, w.dispatching.Seconds()/r.Seconds
	r.Processor = w.computing.Seconds() / r.Seconds
	if n := len(w.recovered); n > 0 {
		slices.Sort(w.recovered)
		r.Recovered, r.RecoverMax = w.recovered[n/2], w.recovered[n-1]
	}
	return nil
}

// dispatch starts a dispatcher, which runs until it is killed.
func (w *world) dispatch(ctx context.Context, name string, cache *dispatch.TransferCache) {
	d := dispatch.New(w, w, cache, dispatch.Options{
		LeaseHolder: name, Window: w.options.Window, Interval: w.options.Interval, Resend: w.options.Resend,
		SweepDelay: time.Minute, SharedQueue: true, Queues: []string{tasks.DefaultQueue}, Now: w.now,
		Workers: dispatch.Workers{Capacity: func(context.Context, string) (int, error) {
			w.calls++
			return w.slots(), nil
		}},
	})
	var round func()
	round = func() {
		if name == "first" && !w.leaderDied.IsZero() {
			return // it led, and died
		}
		w.calls = 0
		began := time.Now()
		busy, err := d.Step(ctx)
		took := time.Duration(w.calls) * w.options.RoundTrip
		if w.leader == name {
			w.dispatching += took
			w.computing += time.Since(began)
		}
		if err != nil || !busy {
			took += w.options.Interval
		}
		w.clock.after(took, round)
	}
	w.clock.after(0, round)
}
