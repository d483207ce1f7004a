package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
)

const (
	runLockLease = 6 * time.Second        // how long a run that died keeps others with its run key waiting
	runLockPoll  = 200 * time.Millisecond // how often a run looks whether its turn has come
)

// RunLockName is the name of the lease that runs with a run key hold in turn.
func RunLockName(runKey string) string { return "run-" + runKey }

// WithRunLock calls do while no other run with the run key does the same: two
// runs of the same paths at once would both register every file. It waits for its turn.
func (g *Ingester) WithRunLock(ctx context.Context, runKey string, do func(ctx context.Context) error) error {
	name, holder := RunLockName(runKey), rand.Text()
	for {
		held, err := g.store.AcquireLease(ctx, name, holder, runLockLease)
		if err != nil {
			return fmt.Errorf("wait for other runs: %w", err)
		}
		if held {
			return g.holdLock(ctx, name, holder, do)
		}
		if err := sleep.For(ctx, runLockPoll); err != nil {
			return err
		}
	}
}

// holdLock renews the lease until do returns, and releases it then.
func (g *Ingester) holdLock(ctx context.Context, name, holder string, do func(ctx context.Context) error) error {
	renewing, stop := context.WithCancel(ctx)
	var renewed sync.WaitGroup
	renewed.Go(func() { g.renewLock(renewing, name, holder) })
	err := do(ctx)
	stop()
	renewed.Wait()
	if err := g.store.ReleaseLease(context.WithoutCancel(ctx), name, holder); err != nil {
		g.log.WarnContext(ctx, "run: others wait until its lease ends", "error", err)
	}
	return err
}

func (g *Ingester) renewLock(ctx context.Context, name, holder string) {
	watch := outage.New(g.log, outage.Database, "renew the lease of a run")
	sleep.Every(ctx, runLockLease/3, func() {
		_, err := g.store.AcquireLease(ctx, name, holder, runLockLease)
		_ = watch.Done(ctx, err)
	})
}
