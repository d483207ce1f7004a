package baler

import (
	"context"
	"time"

	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// waitEvery is how often Wait looks; a look is one row and its steps.
const waitEvery = 200 * time.Millisecond

// Wait returns when the transfer has ended, or with the error of ctx. See is
// told of every look, the last included; nil for nobody. A database that fails
// for a while is asked again until patience is used up.
func (b *Baler) Wait(ctx context.Context, id string, see func(tasks.Transfer)) (tasks.Transfer, error) {
	const patience = 5 * time.Minute
	var down time.Time
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
		case !store.Outage(err):
			return t, err
		case down.IsZero():
			down = b.now()
		case b.now().Sub(down) > patience:
			return t, err
		}
		timer := time.NewTimer(waitEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return t, ctx.Err()
		}
	}
}
