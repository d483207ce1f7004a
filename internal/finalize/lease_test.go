package finalize

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// frozen stands for the store of a worker that cannot reach it for a while.
type frozen struct {
	Store
	thaw <-chan struct{}
}

func (f frozen) RenewFinalizeStep(ctx context.Context, _ *ledger.FinalizeTask, _ tasks.Progress, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (f frozen) FinishFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, e ledger.FinalizeOutcome) (bool, error) {
	<-f.thaw
	return f.Store.FinishFinalizeStep(ctx, c, e)
}

// A worker freezes past its lease; another does the step; the first wakes up.
func TestFrozenHolderOfAFinalStepIsRefused(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		tries := make(map[int]int)
		r := newEnv(t, url, "  - handler: count\n  - name: next\n    handler: count\n", map[string]handlers.Finalizer{
			"count": func(_ context.Context, c *handlers.TransferJob) error {
				mu.Lock()
				defer mu.Unlock()
				tries[c.Attempt()]++
				if c.Attempt() == 1 && len(tries) == 1 && tries[1] == 1 {
					return handlers.Fail("late", errors.New("said by the frozen one"))
				}
				return nil
			},
		})
		thaw := make(chan struct{})
		_, stop := r.run(func(o *Options) {
			o.Steps, o.Lease, o.Concurrency = frozen{r.Store, thaw}, 50*time.Millisecond, 1
		})
		r.becomes("finalizing count:running/1 next:waiting/0")
		r.run()
		r.ends("completed count:done/2 next:done/1")
		close(thaw)
		stop()
		if got := r.is(); got != "completed count:done/2 next:done/1" || len(r.completed) > 0 {
			t.Errorf("it has become %s", got)
		}
	})
}

// A handler that runs for longer than the lease keeps it: the clock moves on by
// two thirds of one with every renewal.
func TestLeaseIsRenewedWhileAFinalStepRuns(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		begun, enough := make(chan struct{}), make(chan struct{})
		r := newEnv(t, url, "  - handler: long\n", map[string]handlers.Finalizer{
			"long": func(context.Context, *handlers.TransferJob) error { close(begun); <-enough; return nil },
		})
		var passed atomic.Int64
		later, err := store.Open(t.Context(), url, store.Options{Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
		r.Must(err)
		t.Cleanup(func() { r.Must(later.Close()) })
		const lease = time.Hour
		n := 0
		r.run(func(o *Options) {
			o.Lease, o.RenewInterval = lease, 5*time.Millisecond
			o.Steps = renewing{later, func() {
				passed.Add(int64(lease / 3 * 2))
				if n++; n == 6 {
					close(enough)
				}
			}}
		})
		<-begun
		r.run(func(o *Options) { o.Steps = later }) // would take it if the lease ended
		r.ends("completed long:done/1")
	})
}

type renewing struct {
	Store
	renewed func()
}

func (r renewing) RenewFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, p tasks.Progress, lease time.Duration) error {
	err := r.Store.RenewFinalizeStep(ctx, c, p, lease)
	if err == nil {
		r.renewed()
	}
	return err
}
