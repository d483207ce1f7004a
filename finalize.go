package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// workerFinal is for a worker that runs everybody's final steps: they write
// where the site says.
func (b *Baler) workerFinal() (f worker.Final, err error) {
	f = worker.Final{Timeout: b.finalizerTimeout, Retry: b.finalizerRetry}
	f.Outputs, err = handlers.NewOutputRoots(b.cfg.Outputs)
	return f, err
}

// runFinal is for a process that works for one person. Unless the site says
// where, final steps may write wherever that person may; but then they are only
// those of this person's runs, when others share the database.
func (b *Baler) runFinal(runKey string) (f worker.Final, err error) {
	f, err = b.workerFinal()
	if err != nil || len(b.cfg.Outputs) > 0 {
		return f, err
	}
	here, err := os.Getwd()
	if err != nil {
		return f, fmt.Errorf("find the working folder: %w", err)
	}
	f.Outputs = handlers.AnyOutputRoot(here)
	if b.store.Dialect() != db.SQLite {
		f.RunKey = runKey
	}
	return f, nil
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
