package dispatch

import (
	"cmp"
	"context"
	"math"

	"github.com/balerhq/baler/tasks"
)

// capacity is the capacity of all workers for a step of a transfer, within the limits
// that are set.
type capacity struct {
	slots  int // batches at once; 0 if unknown
	ahead  int // batches of the step that may be in the queue or run; 0: any number
	policy func(step int) tasks.BatchPolicy
}

// Workers says what the live workers can run.
type Workers struct {
	// Capacity returns how many batches of a handler all live workers run at once, or
	// 0 if unknown. It is called before batches are made. Nil means unknown.
	Capacity func(ctx context.Context, handler string) (int, error)

	// Limits returns the limits that are set for a step of a transfer over all workers
	// together, 0 for none. It is called after Capacity. Nil means no limits.
	Limits func(plan *TransferPlan, step int) (inFlight int, filesPerSecond float64)
}

func (w Workers) capacity(ctx context.Context, plan *TransferPlan, step int) (capacity, error) {
	c := capacity{policy: plan.Policy}
	if w.Capacity != nil {
		slots, err := w.Capacity(ctx, plan.Step(step).Handler)
		if err != nil {
			return c, err
		}
		c.slots = slots
	}
	if w.Limits != nil {
		c = c.within(w.Limits(plan, step))
	}
	return c, nil
}

// within lowers slots and batch sizes to the limits that are set; 0 is no limit. A batch
// has at most as many files as the rate allows in a second. When the limits keep the step from
// using all workers, only as many of its batches are sent as keep the limits used, so that
// workers do not take batches that cannot run.
func (c capacity) within(inFlight int, filesPerSecond float64) capacity {
	workers := c.slots
	if inFlight > 0 && (c.slots == 0 || inFlight < c.slots) {
		c.slots = inFlight
		c.ahead = inFlight + 1
	}
	if filesPerSecond <= 0 {
		return c
	}
	c.ahead = min(cmp.Or(c.ahead, max(workers/2, 2)), max(workers/2, 2))
	perSecond := int(min(math.Ceil(filesPerSecond), math.MaxInt32))
	policy := c.policy
	c.policy = func(step int) tasks.BatchPolicy {
		p := policy(step)
		p.MaxItems = min(cmp.Or(p.MaxItems, perSecond), perSecond)
		return p
	}
	return c
}
