package baler

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// aloneFor is how long a run that died keeps others of its lineage waiting.
const aloneFor = 6 * time.Second

// turnEvery is how often a run looks whether its turn has come.
const turnEvery = 200 * time.Millisecond

// withRunLock does what must not be done twice at once for one lineage: two runs of
// the same paths would both register every file. It waits for its turn.
func (b *Baler) withRunLock(ctx context.Context, lineage string, do func(ctx context.Context) error) error {
	name, holder := aloneName(lineage), rand.Text()
	for {
		held, err := b.store.AcquireLease(ctx, name, holder, aloneFor)
		if err != nil {
			return fmt.Errorf("wait for other runs: %w", err)
		}
		if held {
			return b.holding(ctx, name, holder, do)
		}
		if err := sleep.For(ctx, turnEvery); err != nil {
			return err
		}
	}
}

// holding renews a lease while something is done under it, and gives it up then.
func (b *Baler) holding(ctx context.Context, name, holder string, do func(ctx context.Context) error) error {
	renewing, stop := context.WithCancel(ctx)
	var renewed sync.WaitGroup
	renewed.Go(func() { b.renew(renewing, name, holder) })
	err := do(ctx)
	stop()
	renewed.Wait()
	if err := b.store.ReleaseLease(context.WithoutCancel(ctx), name, holder); err != nil {
		b.log.WarnContext(ctx, "run: others wait until its lease ends", "error", err)
	}
	return err
}

func (b *Baler) renew(ctx context.Context, name, holder string) {
	sleep.Every(ctx, aloneFor/3, func() {
		if _, err := b.store.AcquireLease(ctx, name, holder, aloneFor); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "run: its lease was not renewed", "error", err)
		}
	})
}

func aloneName(lineage string) string { return "run-" + lineage[:32] }
