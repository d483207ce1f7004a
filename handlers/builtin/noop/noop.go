// Package noop does nothing, to measure what everything else costs.
package noop

import (
	"context"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// Register adds the handler noop to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("noop", New(), handlers.WithoutEarlierFacts(), handlers.WithReuse(handlers.ReuseByDigest, "1"),
		handlers.WithDescription("nothing; to measure what everything else costs"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 1000}),
		handlers.WithFacts())
}

// New makes a handler that succeeds for every file without looking at it.
func New() handlers.Handler {
	return handlers.HandlerFunc(func(_ context.Context, jobs []*handlers.Job) error {
		for _, job := range jobs {
			job.Done()
		}
		return nil
	})
}
