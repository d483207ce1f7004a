package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/tracing"
)

// Options configures a Dispatcher. LeaseHolder, Window, Interval, SweepDelay and Resend
// must be set: their defaults are those of the configuration. Other zero fields take
// the values given below.
type Options struct {
	LeaseHolder string        // name of this dispatcher, unique among processes
	Window      int           // unfinished batches that a transfer may have
	Interval    time.Duration // between two rounds when there is nothing to do
	LeaseTTL    time.Duration // how long the lease holds unless renewed: 5 s
	SweepDelay  time.Duration // how long the files of a group transfer may wait before they are swept
	Resend      time.Duration // how long after sending a batch to ask the queue for it
	Queues      []string      // whose groups to repair
	SharedQueue bool          // workers of other processes take batches, and may die
	Handlers    []string      // whose groups to repair

	Workers Workers // the live workers

	// OnSent is called with the number of batches that were due and not in the queue, and of
	// those taken from workers that had died; it may be nil.
	OnSent func(due, reclaimed int)

	// Checker reports messages that are too large to be read where messages are signed; nil:
	// they become dead letters.
	Checker *signing.Checker

	// OnElected is called each time this dispatcher gets the lease; it may be nil.
	OnElected func(ctx context.Context) error

	// OnCompleted is called for a transfer that ended because no step selected its last
	// files; it may be nil.
	OnCompleted func(ctx context.Context, transfer int64)

	Tracer *tracing.Tracer // nil: no traces

	Log *slog.Logger     // nil: discards
	Now func() time.Time // nil: time.Now
}

func (o Options) withDefaults() Options {
	if min(o.Interval, o.SweepDelay, o.Resend) <= 0 || o.Window <= 0 {
		panic("dispatch: Window, Interval, SweepDelay and Resend must be above 0")
	}
	if o.LeaseTTL <= 0 {
		o.LeaseTTL = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
