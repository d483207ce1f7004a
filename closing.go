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

// closing says whose closing steps a worker runs, and where they may write.
type closing struct {
	outputs handlers.Outputs
	lineage string // of the transfers; empty for any
}

// workerClosing is that of a worker for everybody: it writes where the site says.
func (b *Baler) workerClosing() (c closing, err error) {
	c.outputs, err = handlers.OutputsBelow(b.cfg.Outputs)
	return c, err
}

// runClosing is that of a process which works for one person. Unless the site
// says where, it may write wherever that person may; but then it runs nothing
// that others have put into a database that it shares with them.
func (b *Baler) runClosing(lineage string) (c closing, err error) {
	if len(b.cfg.Outputs) > 0 {
		return b.workerClosing()
	}
	here, err := os.Getwd()
	if err != nil {
		return c, fmt.Errorf("find the working folder: %w", err)
	}
	c.outputs = handlers.OutputsAnywhere(here)
	if b.store.Dialect() != store.SQLite {
		c.lineage = lineage
	}
	return c, nil
}

func (b *Baler) newCloser(c closing) *handlers.Closer {
	return handlers.NewCloser(handlers.CloserOptions{
		Steps: b.store, Lines: b.store, Transfers: b.store, Catalog: b.catalog, Registry: b.registry,
		Roots: b.cfg.Roots, Outputs: c.outputs, Lineage: c.lineage,
		Timeout: b.closingTimeout, Retry: b.closingRetry, Completed: b.completed, Log: b.log, Now: b.now,
	})
}

func (b *Baler) closingTimeout(s *recipe.Closing, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, b.cfg.Handlers[s.Handler].Timeout, reg.Timeout)
}

func (b *Baler) closingRetry(s *recipe.Closing, reg handlers.Registration) handlers.Retry {
	return b.retryOver(s.Retry, s.Handler, reg)
}

// ErrNotCompleted says that a transfer has not completed.
var ErrNotCompleted = errors.New("the transfer has not completed")

// RetryClosing runs the closing steps of a completed transfer that failed
// again, and no file. It tells how many they are; with some, the transfer
// completes again behind the last of them.
func (b *Baler) RetryClosing(ctx context.Context, t tasks.Transfer) (steps int64, err error) {
	if t.State != tasks.Completed {
		return 0, fmt.Errorf("%w: it is %s", ErrNotCompleted, t.State)
	}
	return b.store.RetryClosing(ctx, t.ID)
}

// closingMark stands before the name of a handler of closing steps where
// workers list what they have.
const closingMark = "closing:"

// handlerNames is what this process tells others that it has.
func (b *Baler) handlerNames() []string {
	names := b.registry.Names()
	for _, name := range b.registry.ClosingNames() {
		names = append(names, closingMark+name)
	}
	return names
}
