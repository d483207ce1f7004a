package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// maxCachedTransfers is how many transfers' recipes are kept parsed.
const maxCachedTransfers = 256

// ErrBadRecipe says that the recipe kept with a transfer cannot be read, as by a
// program that is older than the one which took it.
var ErrBadRecipe = errors.New("the recipe kept with the transfer cannot be read")

// TransferPlan is what does not change in a transfer while it lives: all that one
// needs to route its files and to run its steps.
type TransferPlan struct {
	ID      int64
	UUID    string
	Queue   string
	Via     tasks.Via
	Sources []string
	Recipe  *recipe.Recipe

	policy   func(*recipe.Step) tasks.BatchPolicy
	costKeys []cost.Key // of the steps
	costs    *cost.Model
}

// Policy is the batch policy of a step, numbered from 1.
func (e *TransferPlan) Policy(step int) tasks.BatchPolicy { return e.policy(e.Step(step)) }

// Step is a step of the recipe, numbered from 1.
func (e *TransferPlan) Step(no int) *recipe.Step { return e.Recipe.Steps[no-1] }

// Estimate is what a file at a step is believed to cost.
func (e *TransferPlan) Estimate(step int) cost.Estimate {
	if e.costs == nil {
		return cost.Estimate{}
	}
	return e.costs.Estimate(e.costKeys[step-1])
}

// ObserveCost takes in how long a step's handler took over some files.
func (e *TransferPlan) ObserveCost(step, files int, bytes int64, took time.Duration) {
	if e.costs != nil {
		e.costs.Observe(e.costKeys[step-1], files, bytes, took)
	}
}

// HasStep reports whether the recipe has a step of this number.
func (e *TransferPlan) HasStep(step int) bool { return step >= 1 && step <= len(e.Recipe.Steps) }

// Route is the step after one (0: the first) that a file goes to, 0 when it
// has passed the last. A condition that cannot be evaluated sends the file to
// its step, where the runner records the reason: the file must not be lost.
func (e *TransferPlan) Route(after int, f *tasks.File, facts map[string]any) int {
	step, err := e.Recipe.Next(after, f, facts)
	if bad, ok := errors.AsType[*recipe.EvalError](err); ok {
		return bad.Number
	}
	return step
}

// TransferCache keeps the entries of the transfers at hand. Make one with NewTransferCache.
type TransferCache struct {
	// Costs knows what steps cost; nil for nobody. It is set before first use.
	Costs *cost.Model

	read   func(ctx context.Context, id int64) (tasks.Transfer, error)
	policy func(*recipe.Step) tasks.BatchPolicy

	mu    sync.Mutex
	plans map[int64]*TransferPlan
}

// NewTransferCache reads transfers with read, and gets each step's batch policy,
// with everything that takes precedence laid over, from policy.
func NewTransferCache(
	read func(ctx context.Context, id int64) (tasks.Transfer, error), policy func(*recipe.Step) tasks.BatchPolicy,
) *TransferCache {
	return &TransferCache{read: read, policy: policy, plans: make(map[int64]*TransferPlan)}
}

// Get returns a transfer's entry. The error wraps tasks.ErrTransferNotFound when
// there is no such transfer, ErrBadRecipe when its recipe cannot be read.
func (c *TransferCache) Get(ctx context.Context, id int64) (*TransferPlan, error) {
	c.mu.Lock()
	e := c.plans[id]
	c.mu.Unlock()
	if e != nil {
		return e, nil
	}
	t, err := c.read(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := recipe.Parse(fmt.Sprintf("transfer %s", t.UUID), []byte(t.Recipe))
	if err != nil {
		return nil, fmt.Errorf("%w: transfer %s: %w", ErrBadRecipe, t.UUID, err)
	}
	e = &TransferPlan{ID: t.ID, UUID: t.UUID, Queue: t.Queue, Via: t.Via, Sources: t.Sources, Recipe: r, policy: c.policy, costs: c.Costs}
	for _, s := range r.Steps {
		e.costKeys = append(e.costKeys, cost.Key{Handler: s.Handler, With: s.ArgsDigest()})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.plans) >= maxCachedTransfers {
		// Which one goes matters little: it is read again when it is needed.
		for old := range c.plans {
			delete(c.plans, old)
			break
		}
	}
	c.plans[id] = e
	return e, nil
}

// PlanBatches makes first attempts of files of one step, which ascend by
// number, within the bounds of a policy.
func PlanBatches(plan *TransferPlan, step int, files []tasks.File, policy tasks.BatchPolicy) []tasks.Batch {
	p := batcher.Planner{
		Transfer: plan.ID, Queue: plan.Queue,
		Route:  func(*tasks.File) int { return step },
		Policy: func(int) tasks.BatchPolicy { return policy },
		Budget: func(int) batcher.Budget {
			return batcher.NewBudget(plan.Estimate(step), policy.Target, batcher.Remaining{}, 0)
		},
	}
	return p.Plan(files).Batches
}

// Refuse implements batcher.TransferPlanner. A set of messages holds files of
// many transfers, which must not wait for one whose recipe cannot be read: the
// sweep finds its files once it can be.
func (c *TransferCache) Refuse(ctx context.Context, m tasks.FileMessage) (reason string, err error) {
	plan, err := c.Get(ctx, m.Transfer)
	switch {
	case errors.Is(err, tasks.ErrTransferNotFound), errors.Is(err, ErrBadRecipe):
		return err.Error(), nil
	case err != nil:
		return "", err
	case !plan.HasStep(m.Step):
		return fmt.Sprintf("transfer %s has no step %d", plan.UUID, m.Step), nil
	}
	return "", nil
}

// PlanBatches implements batcher.TransferPlanner, by the step's own policy.
func (c *TransferCache) PlanBatches(ctx context.Context, transfer int64, step int, files []tasks.File) ([]tasks.Batch, error) {
	plan, err := c.Get(ctx, transfer)
	if err != nil {
		return nil, err
	}
	return PlanBatches(plan, step, files, plan.Policy(step)), nil
}

// remaining is what is left of the backlog.
func remainingOf(b *ledger.Backlog) batcher.Remaining {
	return batcher.Remaining{Files: b.Files - b.Cursor, Bytes: max(b.Bytes, 0)}
}

// stepBudgets bounds the batches of each step. When no more files will come, every
// slot gets its part of the rest.
func stepBudgets(e *TransferPlan, b *ledger.Backlog, slots int) func(step int) batcher.Budget {
	if !b.Sealed {
		slots = 0
	}
	whole := remainingOf(b)
	return func(step int) batcher.Budget {
		return batcher.NewBudget(e.Estimate(step), e.Policy(step).Target, whole, slots)
	}
}
