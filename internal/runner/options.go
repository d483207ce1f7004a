package runner

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// earlyDelay is how soon finished jobs of an unfinished batch are recorded
// unless Options say otherwise.
const earlyDelay = 250 * time.Millisecond

// abandonDelay is how long a handler may go on after its context has ended
// before the worker stops waiting for it, unless Options say otherwise.
const abandonDelay = 5 * time.Second

func (o Options) withDefaults() Options {
	o.Slots = cmp.Or(o.Slots, runtime.GOMAXPROCS(0))
	o.FlushAfter = cmp.Or(o.FlushAfter, earlyDelay)
	o.AbandonAfter = cmp.Or(o.AbandonAfter, abandonDelay)
	if o.Timeouts == nil {
		o.Timeouts = StepTimeouts
	}
	if o.Retry == nil {
		o.Retry = StepRetry
	}
	if o.OnCompleted == nil {
		o.OnCompleted = func(context.Context, int64) {}
	}
	if o.BatchEnded == nil {
		o.BatchEnded = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// StepTimeouts lays the recipe's time limits of a step over the handler's.
func StepTimeouts(s *recipe.Step, reg handlers.Registration) handlers.Timeouts {
	return handlers.Timeouts{File: cmp.Or(s.Timeout, reg.Timeouts.File), Batch: cmp.Or(s.BatchTimeout, reg.Timeouts.Batch)}
}

// StepRetry lays the recipe's retry policy of a step over the handler's.
func StepRetry(s *recipe.Step, reg handlers.Registration) tasks.RetryPolicy {
	return s.Retry.Overlay(reg.Retry)
}
