package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// Bounds of the time between two polls of Wait; a poll reads one row and its steps.
const (
	pollSoonest = 20 * time.Millisecond
	pollLatest  = 200 * time.Millisecond
)

// progressPoll is what the last poll of Wait read.
type progressPoll struct {
	at       time.Time
	finished int64
}

// next is the time until the next poll: until the transfer should be done, at its
// speed since the last poll, so that Wait returns soon after the end.
func (l *progressPoll) next(t *tasks.Transfer, now time.Time) time.Duration {
	before := *l
	l.at, l.finished = now, t.Finished
	done, left := t.Finished-before.finished, t.Files-t.Finished
	switch {
	case before.at.IsZero():
		return pollSoonest // the transfer may be small
	case done <= 0 || t.SealedAt.IsZero():
		return min(2*max(now.Sub(before.at), pollSoonest), pollLatest)
	}
	return min(max(now.Sub(before.at)*time.Duration(left)/time.Duration(done), pollSoonest), pollLatest)
}

// Wait returns when the transfer has ended, or with the error of ctx; a paused or stopped
// transfer waits for a person. It calls see with
// the transfer after each poll, the last one included; see may be nil. An outage of the
// database ends Wait after five minutes.
func (b *Baler) Wait(ctx context.Context, id string, see func(tasks.Transfer)) (tasks.Transfer, error) {
	const patience = 5 * time.Minute
	var down time.Time
	var last progressPoll
	var t tasks.Transfer // from the last successful poll
	for {
		read, err := b.store.Transfer(ctx, id)
		switch {
		case err == nil:
			t = read
			down = time.Time{}
			b.watch.Correct(&t, true)
			b.keepDuration(ctx, &t)
			if see != nil {
				see(t)
			}
			if t.State.Ended() {
				return t, nil
			}
		case ctx.Err() != nil:
			return t, ctx.Err()
		case !db.IsOutage(err):
			return t, err
		case down.IsZero():
			down = time.Now() // not b.now: that clock may be set
		case time.Since(down) > patience:
			return t, err
		}
		if err := sleep.For(ctx, last.next(&t, time.Now())); err != nil {
			return t, err
		}
	}
}

// keepDuration lets other processes know how long a transfer has taken, when its times do
// not say so.
func (b *Baler) keepDuration(ctx context.Context, t *tasks.Transfer) {
	if t.Took == 0 || !t.State.Ended() {
		return
	}
	t.ClockShift = t.EndedAt.Sub(t.CreatedAt) - t.Took
	if err := b.store.SetClockShift(ctx, t.ID, t.ClockShift); err != nil { // its results are complete without it
		b.log.Log(ctx, outage.Level(err), "the duration of a transfer during which the clock was set is not kept",
			"transfer", t.UUID, "error", err)
	}
}

// UnattendedError says that Run ended because no live worker could run what was left.
type UnattendedError = tasks.UnattendedError

// StoppedError says that Run ended because so many files failed that the transfer stopped: see
// tasks.StopAfter. It goes on when a person resumes it, and Run with it.
type StoppedError struct {
	Transfer tasks.Transfer
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("transfer %s is stopped until it is resumed: %s", e.Transfer.UUID, e.Transfer.Stopped)
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
		if t.Stopped != "" {
			cancel(&StoppedError{t})
		}
	})
	if alone, ok := errors.AsType[*UnattendedError](context.Cause(ctx)); ok && err != nil {
		err = alone
	}
	if stopped, ok := errors.AsType[*StoppedError](context.Cause(ctx)); ok && err != nil {
		err = stopped
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
	since time.Time // when a check first found no worker; zero when the last check found one
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
	all, err := a.b.control.Waiting(ctx, []tasks.Transfer{*t})
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
