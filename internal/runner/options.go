package runner

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// abandonDelay is how long a handler may go on after its context has ended
// before the worker stops waiting for it, unless Options say otherwise.
const abandonDelay = 5 * time.Second

func (o Options) withDefaults() Options {
	if o.Slots <= 0 || o.FlushAfter <= 0 {
		panic("runner: Slots and FlushAfter must be above 0")
	}
	o.AbandonAfter = cmp.Or(o.AbandonAfter, abandonDelay)
	if o.Timeouts == nil {
		o.Timeouts = StepTimeouts
	}
	if o.Retry == nil {
		o.Retry = stepRetry
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

// stepRetry lays the recipe's retry policy of a step over the handler's.
func stepRetry(s *recipe.Step, reg handlers.Registration) tasks.RetryPolicy {
	return s.Retry.Overlay(reg.Retry)
}
