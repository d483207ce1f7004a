package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/tasks"
)

// capacityView has the data of dispatch.Workers: how many batches the live workers can run,
// and which limits are set. It reads both, and the costs that other workers have observed,
// at most once a second.
type capacityView struct {
	Options

	mu      sync.Mutex
	readAt  time.Time
	workers []tasks.Worker
	allowed []tasks.Limit
}

// refresh reads the workers and limits again after a second. The caller holds mu.
func (v *capacityView) refresh(ctx context.Context) (err error) {
	now := v.Now()
	if now.Sub(v.readAt) <= time.Second {
		return nil
	}
	if v.workers, err = v.Store.Workers(ctx); err != nil {
		return err
	}
	if v.allowed, err = v.Store.Limits(ctx); err != nil {
		return err
	}
	v.readAt = now
	return LoadCosts(ctx, v.Store, v.Costs)
}

// slots is how many batches of a handler all live workers run at once.
func (v *capacityView) slots(ctx context.Context, handler string) (n int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(ctx); err != nil {
		return 0, err
	}
	for _, w := range v.workers {
		if slices.Contains(w.Handlers, handler) && w.DesiredState == tasks.WorkerRunning {
			n += v.batchesAtOnce(handler, w.Slots)
		}
	}
	return n, nil
}

// hosts is on how many hosts live workers run that have a handler. The caller holds mu.
func (v *capacityView) hosts(handler string) int {
	found := make(map[string]bool)
	for i := range v.workers {
		if w := &v.workers[i]; slices.Contains(w.Handlers, handler) && w.DesiredState == tasks.WorkerRunning {
			found[w.Host] = true
		}
	}
	return len(found)
}

// batchesAtOnce is how many batches of a handler a worker with the given concurrency
// runs at once. For a handler that this process does not have it assumes one slot per
// batch.
func (v *capacityView) batchesAtOnce(handler string, concurrency int) int {
	reg, ok := v.Registry.Lookup(handler)
	if ok && reg.Slots == handlers.AllSlots {
		return 1
	}
	return concurrency
}

// limits returns the limits that are set for a step of a transfer.
func (v *capacityView) limits(plan *dispatch.TransferPlan, step int) (inFlight int, filesPerSecond float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	handler := plan.Step(step).Handler
	reg, _ := v.Registry.Lookup(handler)
	return admission.EffectiveLimits(admission.LimitKeys(plan, step, reg.Limits), v.allowed, v.hosts(handler))
}
