package baler

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// capacityView tells a dispatcher of the live workers and of what people allow them.
// It looks at most once a second, then also for what they have learnt of costs,
// and is one dispatcher's: not for concurrent use.
type capacityView struct {
	b        *Baler
	seen     time.Time
	workers  []tasks.Worker
	ceilings []tasks.Limit
}

func (l *capacityView) look(ctx context.Context) (err error) {
	now := l.b.now()
	if now.Sub(l.seen) <= time.Second {
		return nil
	}
	if l.workers, err = l.b.store.Workers(ctx); err != nil {
		return err
	}
	if l.ceilings, err = l.b.store.Limits(ctx); err != nil {
		return err
	}
	l.seen = now
	return l.b.loadCosts(ctx)
}

// slots tells how many batches of a handler all live workers run at once.
func (l *capacityView) slots(ctx context.Context, handler string) (int, error) {
	if err := l.look(ctx); err != nil {
		return 0, err
	}
	n := 0
	for _, w := range l.workers {
		if slices.Contains(w.Handlers, handler) && w.DesiredState == tasks.WorkerRunning {
			n += l.b.atOnce(handler, w.Slots)
		}
	}
	return n, nil
}

// within tells what the ceilings leave to a transfer.
func (l *capacityView) within(e *batcher.TransferPlan) (inFlight int, filesPerSecond float64) {
	return handlers.EffectiveLimits(e, l.ceilings)
}

// maxParallel is how many batches of a handler a worker with this concurrency runs
// at once, as far as this process knows the handler.
func (b *Baler) atOnce(handler string, concurrency int) int {
	reg, ok := b.registry.Lookup(handler)
	if ok && reg.Slots == handlers.AllSlots {
		return 1
	}
	return concurrency
}
