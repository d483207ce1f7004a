package baler

import (
	"cmp"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// The precedence of a step's settings: the recipe, then the site's
// configuration for the handler, then the handler's own default, then the
// global default.

func (b *Baler) policy(s *recipe.Step) tasks.BatchPolicy {
	step := tasks.BatchPolicy{
		MaxItems: s.Batch.MaxItems, MaxBytes: s.Batch.MaxBytes, MaxDelay: s.Batch.MaxDelay, Target: s.Batch.Target,
	}
	reg, _ := b.registry.Lookup(s.Handler) // one that only other workers have says nothing here
	return step.Overlay(sitePolicy(b.cfg.Handlers[s.Handler].Batch)).Overlay(reg.Batch).Overlay(sitePolicy(b.cfg.Batch)).Overlay(tasks.DefaultBatchPolicy())
}

func sitePolicy(c config.Batch) tasks.BatchPolicy {
	return tasks.BatchPolicy{MaxItems: c.MaxItems, MaxBytes: int64(c.MaxBytes), MaxDelay: c.MaxDelay, Target: c.Target}
}

func (b *Baler) timeout(s *recipe.Step, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, b.cfg.Handlers[s.Handler].Timeout, reg.Timeout)
}

func (b *Baler) retry(s *recipe.Step, reg handlers.Registration) tasks.RetryPolicy {
	return b.retryOver(s.Retry, s.Handler, reg)
}

func (b *Baler) retryOver(step recipe.Retry, handler string, reg handlers.Registration) tasks.RetryPolicy {
	site := b.cfg.Handlers[handler].Retry
	return tasks.RetryPolicy{
		Attempts:   cmp.Or(step.Attempts, site.Attempts, reg.Retry.Attempts),
		Backoff:    cmp.Or(step.Backoff, site.Backoff, reg.Retry.Backoff),
		MaxBackoff: cmp.Or(step.MaxBackoff, site.MaxBackoff, reg.Retry.MaxBackoff),
	}
}
