package dispatch

import (
	"context"
	"log/slog"
	"time"
)

// Options tunes a Dispatcher. Zero fields take the values said.
type Options struct {
	LeaseHolder string        // who this is, unique among processes
	Window      int           // unfinished batches a transfer may have at most: 64
	Interval    time.Duration // how often to look when nothing happens: 100 ms
	LeaseTTL    time.Duration // how long an election lasts unless renewed: 5 s
	SweepDelay  time.Duration // how long a group transfer's files have before the sweep: 2 min
	Resend      time.Duration // how long after its message was sent the queue is asked for a batch: 15 s
	Queues      []string      // queues whose groups to heal
	Handlers    []string      // handlers whose groups to heal

	// Capacity tells how many batches of a handler all live workers run at once;
	// nil, or 0, when nobody knows. It is asked before each cut.
	Capacity func(ctx context.Context, handler string) (int, error)

	// Limits tells what people allow all workers together to do of a transfer:
	// batches in flight, and files a second; 0 for no bound. It is asked after
	// Slots. Nil for no bounds.
	Limits func(e *TransferPlan) (inFlight int, filesPerSecond float64)

	// OnElected runs each time this dispatcher comes to act; nil for nothing.
	OnElected func(ctx context.Context) error

	// OnCompleted is told of a transfer that ended because no step selected its
	// last files; nil for nobody.
	OnCompleted func(ctx context.Context, transfer int64)

	Log *slog.Logger     // nil: discards
	Now func() time.Time // nil: time.Now
}

func (o Options) withDefaults() Options {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&o.Window, 64)
	orTime(&o.Interval, 100*time.Millisecond)
	orTime(&o.LeaseTTL, 5*time.Second)
	orTime(&o.SweepDelay, 2*time.Minute)
	orTime(&o.Resend, 15*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
