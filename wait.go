package baler

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/sleep"
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

// Wait returns when the transfer has ended, or with the error of ctx. It calls see with
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
			b.watch.correct(&t, true)
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
