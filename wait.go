package baler

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// Wait looks at least and at most that often; a look is one row and its steps.
const (
	lookSoonest = 20 * time.Millisecond
	lookLatest  = 200 * time.Millisecond
)

// progressPoll is what Wait saw last.
type progressPoll struct {
	at       time.Time
	finished int64
}

// next is when to look again: when the transfer should be done, going by its
// speed since the last look, so that nobody waits for the watch to come round.
func (l *progressPoll) next(t *tasks.Transfer, now time.Time) time.Duration {
	before := *l
	l.at, l.finished = now, t.Finished
	done, left := t.Finished-before.finished, t.Files-t.Finished
	switch {
	case before.at.IsZero():
		return lookSoonest // it may be a small one
	case done <= 0 || t.SealedAt.IsZero():
		return min(2*max(now.Sub(before.at), lookSoonest), lookLatest)
	}
	return min(max(now.Sub(before.at)*time.Duration(left)/time.Duration(done), lookSoonest), lookLatest)
}

// Wait returns when the transfer has ended, or with the error of ctx. See is
// told of every look, the last included; nil for nobody. A database that fails
// for a while is asked again until patience is used up.
func (b *Baler) Wait(ctx context.Context, id string, see func(tasks.Transfer)) (tasks.Transfer, error) {
	const patience = 5 * time.Minute
	var down time.Time
	var last progressPoll
	for {
		t, err := b.store.Transfer(ctx, id)
		switch {
		case err == nil:
			down = time.Time{}
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
			down = b.now()
		case b.now().Sub(down) > patience:
			return t, err
		}
		if err := sleep.For(ctx, last.next(&t, b.now())); err != nil {
			return t, err
		}
	}
}
