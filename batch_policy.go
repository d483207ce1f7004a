package baler

import (
	"cmp"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// The precedence of a step's settings: the recipe, then the site's
// configuration for the handler, then the handler's own default, then the
// global default.

func (b *Baler) policy(s *recipe.Step) tasks.BatchPolicy {
	reg, _ := b.registry.Lookup(s.Handler) // a handler that only other workers have sets no default here
	return s.Batch.Overlay(b.cfg.Handlers[s.Handler].Batch).Overlay(reg.Batch).Overlay(b.cfg.Batch).Overlay(tasks.DefaultBatchPolicy())
}

func (b *Baler) timeout(s *recipe.Step, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, b.cfg.Handlers[s.Handler].Timeout, reg.Timeout)
}

func (b *Baler) retry(s *recipe.Step, reg handlers.Registration) tasks.RetryPolicy {
	return b.retryOver(s.Retry, s.Handler, reg)
}

func (b *Baler) retryOver(step tasks.RetryPolicy, handler string, reg handlers.Registration) tasks.RetryPolicy {
	return step.Overlay(b.cfg.Handlers[handler].Retry).Overlay(reg.Retry)
}
