package batcher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// catalogMost is how many transfers' recipes are kept parsed.
const catalogMost = 256

// ErrRecipe says that the recipe kept with a transfer cannot be read, as by a
// program that is older than the one which took it.
var ErrRecipe = errors.New("the recipe kept with the transfer cannot be read")

// Entry is what does not change in a transfer while it lives: all that one
// needs to route its files and to run its steps.
type Entry struct {
	ID      int64
	UUID    string
	Queue   string
	Via     tasks.Via
	Sources []string
	Recipe  *recipe.Recipe

	policy func(*recipe.Step) Policy
	kinds  []Kind // of the steps
	sizer  *Sizer
}

// Policy is the batch policy of a step, numbered from 1.
func (e *Entry) Policy(step int) Policy { return e.policy(e.Step(step)) }

// Step is a step of the recipe, numbered from 1.
func (e *Entry) Step(no int) *recipe.Step { return e.Recipe.Steps[no-1] }

// Estimate is what a file at a step is believed to cost.
func (e *Entry) Estimate(step int) Estimate {
	if e.sizer == nil {
		return Estimate{}
	}
	return e.sizer.Estimate(e.kinds[step-1])
}

// Learn takes in how long a step's handler took over some files.
func (e *Entry) Learn(step, files int, bytes int64, took time.Duration) {
	if e.sizer != nil {
		e.sizer.Learn(e.kinds[step-1], files, bytes, took)
	}
}

// Has reports whether the recipe has a step of this number.
func (e *Entry) Has(step int) bool { return step >= 1 && step <= len(e.Recipe.Steps) }

// Route is the step after one (0: the first) that a file goes to, 0 when it
// has passed the last. A condition that cannot be evaluated sends the file to
// its step, where the runner records the reason: the file must not be lost.
func (e *Entry) Route(after int, f *tasks.File, facts map[string]any) int {
	step, err := e.Recipe.Next(after, f, facts)
	if bad, ok := errors.AsType[*recipe.EvalError](err); ok {
		return bad.No
	}
	return step
}

// Catalog keeps the entries of the transfers at hand. Make one with NewCatalog.
type Catalog struct {
	// Sizer knows what steps cost; nil for nobody. It is set before first use.
	Sizer *Sizer

	read   func(ctx context.Context, id int64) (tasks.Transfer, error)
	policy func(*recipe.Step) Policy

	mu      sync.Mutex
	entries map[int64]*Entry
}

// NewCatalog reads transfers with read, and gets each step's batch policy,
// with everything that takes precedence laid over, from policy.
func NewCatalog(read func(ctx context.Context, id int64) (tasks.Transfer, error), policy func(*recipe.Step) Policy) *Catalog {
	return &Catalog{read: read, policy: policy, entries: make(map[int64]*Entry)}
}

// Get returns a transfer's entry. The error wraps tasks.ErrNoTransfer when
// there is no such transfer, ErrRecipe when its recipe cannot be read.
func (c *Catalog) Get(ctx context.Context, id int64) (*Entry, error) {
	c.mu.Lock()
	e := c.entries[id]
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
		return nil, fmt.Errorf("%w: transfer %s: %w", ErrRecipe, t.UUID, err)
	}
	e = &Entry{ID: t.ID, UUID: t.UUID, Queue: t.Queue, Via: t.Via, Sources: t.Sources, Recipe: r, policy: c.policy, sizer: c.Sizer}
	for _, s := range r.Steps {
		e.kinds = append(e.kinds, Kind{Handler: s.Handler, With: s.WithDigest()})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= catalogMost {
		// Which one goes matters little: it is read again when it is needed.
		for old := range c.entries {
			delete(c.entries, old)
			break
		}
	}
	c.entries[id] = e
	return e, nil
}
