package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// finalizeScope says whose final steps a worker runs, and where they may write.
type finalizeScope struct {
	outputs handlers.OutputRoots
	lineage string // of the transfers; empty for any
}

// workerFinalizeScope is that of a worker for everybody: it writes where the site says.
func (b *Baler) workerFinalizeScope() (c finalizeScope, err error) {
	c.outputs, err = handlers.NewOutputRoots(b.cfg.Outputs)
	return c, err
}

// runFinalizeScope is that of a process which works for one person. Unless the site
// says where, it may write wherever that person may; but then it runs nothing
// that others have put into a database that it shares with them.
func (b *Baler) runFinalizeScope(lineage string) (c finalizeScope, err error) {
	if len(b.cfg.Outputs) > 0 {
		return b.workerFinalizeScope()
	}
	here, err := os.Getwd()
	if err != nil {
		return c, fmt.Errorf("find the working folder: %w", err)
	}
	c.outputs = handlers.AnyOutputRoot(here)
	if b.store.Dialect() != store.SQLite {
		c.lineage = lineage
	}
	return c, nil
}

func (b *Baler) newFinalizers(c finalizeScope) *handlers.Finalizers {
	return handlers.NewFinalizers(handlers.FinalizersOptions{
		Steps: b.store, Lines: b.store, Transfers: b.store, Plans: b.catalog, Registry: b.registry,
		Roots: b.cfg.Roots, Outputs: c.outputs, RunKey: c.lineage,
		Timeout: b.finalizerTimeout, Retry: b.finalizerRetry, OnCompleted: b.completed, Log: b.log, Now: b.now,
	})
}

func (b *Baler) finalizerTimeout(s *recipe.Finalizer, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, b.cfg.Handlers[s.Handler].Timeout, reg.Timeout)
}

func (b *Baler) finalizerRetry(s *recipe.Finalizer, reg handlers.Registration) tasks.RetryPolicy {
	return b.retryOver(s.Retry, s.Handler, reg)
}

// ErrNotCompleted says that a transfer has not completed.
var ErrNotCompleted = errors.New("the transfer has not completed")

// RetryFinalizers runs the final steps of a completed transfer that failed
// again, and no file. It tells how many they are; with some, the transfer
// completes again behind the last of them.
func (b *Baler) RetryFinalizers(ctx context.Context, t tasks.Transfer) (steps int64, err error) {
	if t.State != tasks.StateCompleted {
		return 0, fmt.Errorf("%w: it is %s", ErrNotCompleted, t.State)
	}
	return b.store.RetryFinalizeSteps(ctx, t.ID)
}

// finalizerMark stands before the name of a handler of final steps where
// workers list what they have.
const finalizerMark = "finalizer:"

// handlerNames is what this process tells others that it has.
func (b *Baler) handlerNames() []string {
	names := b.registry.Names()
	for _, name := range b.registry.FinalizerNames() {
		names = append(names, finalizerMark+name)
	}
	return names
}
