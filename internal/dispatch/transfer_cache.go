package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// maxCachedTransfers is how many transfers the cache holds.
const maxCachedTransfers = 256

// ErrBadRecipe means that the recipe stored with a transfer cannot be read, for example
// by a program that is older than the one that stored it.
var ErrBadRecipe = errors.New("the recipe stored with the transfer cannot be read")

// TransferPlan has the constant data of a transfer that routing its files and running its
// steps need.
type TransferPlan struct {
	ID      int64
	UUID    string
	Queue   string
	Via     tasks.Via
	Sources []string
	Recipe  *recipe.Recipe
	NoReuse bool // see tasks.Transfer

	TraceParent string // see tasks.Transfer

	policy   func(*recipe.Step) tasks.BatchPolicy
	costKeys []cost.Key // of the steps
	costs    *cost.Model
}

// Policy is the batch policy of a step, numbered from 1.
func (p *TransferPlan) Policy(step int) tasks.BatchPolicy { return p.policy(p.Step(step)) }

// Step is a step of the recipe, numbered from 1.
func (p *TransferPlan) Step(no int) *recipe.Step { return p.Recipe.Steps[no-1] }

// Estimate is the estimated cost of a file at a step.
func (p *TransferPlan) Estimate(step int) cost.Estimate {
	if p.costs == nil {
		return cost.Estimate{}
	}
	return p.costs.Estimate(p.costKeys[step-1])
}

// ObserveCost records how long the handler of a step took for some files.
func (p *TransferPlan) ObserveCost(step, files int, bytes int64, took time.Duration) {
	if p.costs != nil {
		p.costs.Observe(p.costKeys[step-1], files, bytes, took)
	}
}

// HasStep reports whether the recipe has a step of this number.
func (p *TransferPlan) HasStep(step int) bool { return step >= 1 && step <= len(p.Recipe.Steps) }

// First returns the step at which a file starts, or 0 when none selects it. An emitted file
// starts where the step says that emitted it.
func (p *TransferPlan) First(f *tasks.File) int {
	after := 0
	if f.Emitted != nil && p.HasStep(f.Emitted.Step) {
		after = p.Step(f.Emitted.Step).EmitFrom.After(f.Emitted.Step)
	}
	return p.Route(after, f, nil)
}

// Route returns the next step of a file after a step (0 for none yet), or 0 when there
// is none. A condition that cannot be evaluated sends the file to its step, where the
// runner records the reason, so that the file is not lost.
func (p *TransferPlan) Route(after int, f *tasks.File, facts map[string]any) int {
	step, err := p.Recipe.Next(after, f, facts)
	if bad, ok := errors.AsType[*recipe.EvalError](err); ok {
		return bad.Number
	}
	return step
}

// TransferCache holds the plans of the transfers in use. Make one with NewTransferCache.
type TransferCache struct {
	// Costs estimates the costs of steps; it may be nil. Set it before first use.
	Costs *cost.Model

	read   func(ctx context.Context, id int64) (tasks.Transfer, error)
	policy func(*recipe.Step) tasks.BatchPolicy

	plans perTransfer[*TransferPlan]
}

// NewTransferCache makes a cache that reads transfers with read. policy returns the
// batch policy of a step with all settings applied.
func NewTransferCache(
	read func(ctx context.Context, id int64) (tasks.Transfer, error), policy func(*recipe.Step) tasks.BatchPolicy,
) *TransferCache {
	return &TransferCache{read: read, policy: policy, plans: newPerTransfer[*TransferPlan](maxCachedTransfers)}
}

// Get returns the plan of a transfer. The error wraps tasks.ErrTransferNotFound when
// there is no such transfer, and ErrBadRecipe when its recipe cannot be read.
func (c *TransferCache) Get(ctx context.Context, id int64) (*TransferPlan, error) {
	if plan := c.plans.of(id); plan != nil {
		return plan, nil
	}
	t, err := c.read(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := recipe.Parse(fmt.Sprintf("transfer %s", t.UUID), []byte(t.Recipe))
	if err != nil {
		return nil, fmt.Errorf("%w: transfer %s: %w", ErrBadRecipe, t.UUID, err)
	}
	plan := &TransferPlan{
		ID: t.ID, UUID: t.UUID, Queue: t.Queue, Via: t.Via, Sources: t.Sources, Recipe: r, NoReuse: t.NoReuse, TraceParent: t.TraceParent,
		policy: c.policy, costs: c.Costs,
	}
	for _, s := range r.Steps {
		plan.costKeys = append(plan.costKeys, cost.Key{Handler: s.Handler, With: s.ArgsDigest()})
	}
	c.plans.Add(id, plan)
	return plan, nil
}

// UUID is the id under which people know a transfer, for logs.
func (c *TransferCache) UUID(ctx context.Context, id int64) string {
	_, _ = c.Get(ctx, id) // on an error, knownUUID returns the number
	return c.knownUUID(id)
}

// TraceParent returns the span that submitted a transfer; empty when none is known.
func (c *TransferCache) TraceParent(ctx context.Context, id int64) string {
	if plan, err := c.Get(ctx, id); err == nil {
		return plan.TraceParent
	}
	return ""
}

// knownUUID is UUID without a query.
func (c *TransferCache) knownUUID(id int64) string {
	if plan := c.plans.of(id); plan != nil {
		return plan.UUID
	}
	return fmt.Sprintf("number %d", id)
}

// PlanBatches makes batches for the first attempt of files at one step, within the
// limits of a policy. The files ascend by number.
func PlanBatches(plan *TransferPlan, step int, files []tasks.File, policy tasks.BatchPolicy) []tasks.Batch {
	return planShared(plan, step, files, policy, 0)
}

// planShared is PlanBatches for files that a number of slots share; 0 shares nothing.
func planShared(plan *TransferPlan, step int, files []tasks.File, policy tasks.BatchPolicy, slots int) []tasks.Batch {
	whole := batcher.Remaining{Files: int64(len(files))}
	for i := range files {
		whole.Bytes = saturatingAdd(whole.Bytes, files[i].Size)
	}
	budget := batcher.NewBudget(plan.Estimate(step), policy.Target, whole, slots)
	p := batcher.Planner{
		Transfer: plan.ID, Queue: plan.Queue, Remaining: whole,
		Route:  func(*tasks.File) int { return step },
		Policy: func(int) tasks.BatchPolicy { return policy },
		Budget: func(int) batcher.Budget { return budget },
	}
	return p.Plan(files).Batches
}

func saturatingAdd(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// remainingOf returns the part of a backlog that has not been dispatched.
func remainingOf(b *ledger.Backlog) batcher.Remaining {
	return batcher.Remaining{Files: b.Files - b.Cursor, Bytes: max(b.Bytes, 0)}
}

// stepBudgets returns the budgets of the steps. When no more files will be registered,
// all slots share the remaining files.
func stepBudgets(plan *TransferPlan, b *ledger.Backlog, slots int) func(step int) batcher.Budget {
	if !b.Sealed {
		slots = 0
	}
	whole := remainingOf(b)
	return func(step int) batcher.Budget {
		return batcher.NewBudget(plan.Estimate(step), plan.Policy(step).Target, whole, slots)
	}
}
