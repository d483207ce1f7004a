package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// UnattendedError says that Run ended because no live worker could run what was left.
type UnattendedError struct {
	Transfer string        // its UUID
	Waiting  string        // for what
	Time     time.Duration // for how long nobody came
}

func (e *UnattendedError) Error() string {
	return fmt.Sprintf("transfer %s waits for %s. Nobody came for %s: start such a worker, and run the same command again to continue",
		e.Transfer, e.Waiting, e.Time)
}

// unattendedBeats is for how many heartbeats no live worker may be able to run a transfer
// before Run gives up: enough for a worker to start again. One that has died counts as
// alive for 30 seconds before.
const unattendedBeats = 6

// waitAttended waits for the end of a transfer as long as a live worker can run it. The
// transfer is returned as it was when it could not be read again, as when ctx has ended.
func (b *Baler) waitAttended(ctx context.Context, known tasks.Transfer) (tasks.Transfer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := attendance{b: b, beat: cmp.Or(b.heartbeat, worker.HeartbeatInterval)}
	t, err := b.Wait(ctx, known.UUID, func(t tasks.Transfer) {
		if err := watch.look(ctx, &t, time.Now()); err != nil {
			cancel(err)
		}
	})
	if alone, ok := errors.AsType[*UnattendedError](context.Cause(ctx)); ok && err != nil {
		err = alone
	}
	if t.ID == 0 {
		t = known
	}
	return t, err
}

// attendance watches whether a live worker can run a transfer.
type attendance struct {
	b    *Baler
	beat time.Duration

	at    time.Time // of the last look
	done  int64     // at that time
	since time.Time // when a look first found nobody; zero when the last one did not
}

// look reads at most once a heartbeat, and only of a transfer that stands still, whether
// a worker can run it.
func (a *attendance) look(ctx context.Context, t *tasks.Transfer, now time.Time) error {
	if now.Sub(a.at) < a.beat {
		return nil
	}
	totals := t.Totals()
	moved := totals.Total()+t.Finished != a.done
	a.at, a.done = now, totals.Total()+t.Finished
	if moved {
		a.since = time.Time{}
		return nil
	}
	all, err := a.b.waiting(ctx, []tasks.Transfer{*t})
	if err != nil {
		return nil //nolint:nilerr // Wait bears an outage of the database
	}
	if len(all) == 0 || all[0].Reason != ledger.WaitsForWorker {
		a.since = time.Time{}
		return nil
	}
	if a.since.IsZero() {
		a.since = now
	}
	if patience := unattendedBeats * a.beat; now.Sub(a.since) >= patience {
		return &UnattendedError{Transfer: t.UUID, Waiting: all[0].Text, Time: patience}
	}
	return nil
}
