package baler

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/store"
)

// slots gives a function that tells how many batches of a handler all live
// workers run at once. It looks at most once a second, then also for what they
// have learnt of costs, and is one dispatcher's: not for concurrent use.
func (b *Baler) slots() func(ctx context.Context, handler string) (int, error) {
	var seen time.Time
	var workers []store.Worker
	return func(ctx context.Context, handler string) (int, error) {
		if now := b.now(); now.Sub(seen) > time.Second {
			ws, err := b.store.Workers(ctx)
			if err != nil {
				return 0, err
			}
			if err := b.loadCosts(ctx); err != nil {
				return 0, err
			}
			workers, seen = ws, now
		}
		n := 0
		for _, w := range workers {
			if slices.Contains(w.Handlers, handler) && w.Wish == store.Go {
				n += b.atOnce(handler, w.Slots)
			}
		}
		return n, nil
	}
}

// atOnce is how many batches of a handler a worker with this concurrency runs
// at once, as far as this process knows the handler.
func (b *Baler) atOnce(handler string, concurrency int) int {
	reg, ok := b.registry.Lookup(handler)
	if ok && reg.Slots == handlers.All {
		return 1
	}
	return concurrency
}
