package baler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Ran is what came of a Run.
type Ran struct {
	Transfer tasks.Transfer   // the one that was worked on, or the last one when nothing had changed
	Others   []tasks.Transfer // earlier ones that were finished beside it: retried after newer ones had begun
	Resumed  bool             // it was begun by an earlier run
	Changed  bool             // there was something to do
}

// ErrPaused says that a person has paused what Run would go on with.
var ErrPaused = errors.New("the transfer is paused")

// Run registers what the submission's paths hold, works on it in this process,
// and returns when it has ended. Run again for the same paths and recipe it
// goes on where it stopped, finishes what is to be retried, and registers only
// what was added or changed since.
// When ctx ends, work stops in order and Run gives the error of ctx.
func (b *Baler) Run(ctx context.Context, s Submission) (ran Ran, err error) {
	sources, err := s.sources()
	if err != nil {
		return ran, err
	}
	closing, err := b.runClosing(lineageOf(sources, &s))
	if err != nil {
		return ran, err
	}
	working, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	outer := ctx
	ctx, giveUp := context.WithCancel(ctx)
	go func() {
		worked <- b.work(working, closing)
		giveUp() // a worker that cannot start will never finish what is waited for
	}()
	defer func() {
		stop()
		workErr := <-worked
		if workErr != nil && outer.Err() == nil && errors.Is(err, context.Canceled) {
			err = nil // it only says that we gave up; why is the worker's to say
		}
		err = errors.Join(err, workErr)
	}()
	err = b.alone(ctx, lineageOf(sources, &s), func(ctx context.Context) (err error) {
		if ran, err = b.runOnce(ctx, &s, sources); err != nil || !ran.Changed {
			return err
		}
		if _, err := b.store.Seal(ctx, ran.Transfer.ID); err != nil {
			return fmt.Errorf("run: %w", err)
		}
		return nil
	})
	if err != nil || !ran.Changed {
		return ran, err
	}
	for i := range ran.Others {
		if ran.Others[i], err = b.Wait(ctx, ran.Others[i].UUID, nil); err != nil {
			return ran, err
		}
	}
	ran.Transfer, err = b.Wait(ctx, ran.Transfer.UUID, nil)
	return ran, err
}

// runOnce registers what is new. It returns before that is processed.
func (b *Baler) runOnce(ctx context.Context, s *Submission, sources []string) (ran Ran, err error) {
	lineage := lineageOf(sources, s)
	latest, err := b.store.Latest(ctx, lineage)
	first := errors.Is(err, tasks.ErrNoTransfer)
	if err != nil && !first {
		return ran, err
	}
	n := &novelty{b: b, submission: s, sources: sources, lineage: lineage}
	if first {
		err = n.begin(ctx)
	} else {
		ran.Transfer = latest
		ran.Resumed, err = n.goOn(ctx, latest)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = b.collect(ctx, s, sources, func(f tasks.File) error { return n.add(ctx, f) })
	err = errors.Join(err, n.close(ctx))
	switch {
	case n.intake != nil:
		ran.Transfer, ran.Changed = n.transfer, true
	case err == nil:
		err = ran.takeUpClosing(ctx, b, s.Started)
	}
	if err == nil {
		ran.Others, err = b.store.Revived(ctx, lineage, ran.Transfer.ID)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	ran.promote(s.Started)
	return ran, nil
}

// takeUpClosing has a transfer waited for that nothing was added to, and whose
// closing steps have not ended. It may have come to them a moment ago.
func (r *Ran) takeUpClosing(ctx context.Context, b *Baler, started func(tasks.Transfer)) error {
	t, err := b.store.TransferByID(ctx, r.Transfer.ID)
	if err != nil {
		return err
	}
	if r.Transfer = t; t.State != tasks.Closing {
		return nil
	}
	r.Resumed, r.Changed = true, true
	if started != nil {
		started(t)
	}
	return nil
}

// promote puts the newest retried transfer in the place of one with which there
// is nothing to do.
func (r *Ran) promote(started func(tasks.Transfer)) {
	last := len(r.Others) - 1
	if r.Changed || last < 0 {
		return
	}
	r.Transfer, r.Others = r.Others[last], r.Others[:last]
	r.Resumed, r.Changed = true, true
	if started != nil {
		started(r.Transfer)
	}
}

// lineageOf names the succession of transfers of the same sources and recipe.
func lineageOf(sources []string, s *Submission) string {
	sum := sha256.Sum256([]byte(strings.Join(sources, "\x00") + "\x00\x00" + s.Recipe.Digest()))
	return hex.EncodeToString(sum[:])
}
