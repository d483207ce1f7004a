package baler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// RunResult is what came of a Run.
type RunResult struct {
	Transfer     tasks.Transfer   // the one that was worked on, or the last one when nothing had changed
	Previous     []tasks.Transfer // earlier ones that were finished beside it: retried after newer ones had begun
	Resumed      bool             // it was begun by an earlier run
	FoundChanges bool             // there was something to do
}

// ErrPaused says that a person has paused the transfer that Run would resume.
var ErrPaused = ingest.ErrPaused

// Run registers what the submission's paths hold, works on it in this process,
// and returns when it has ended. Run again for the same paths and recipe it
// goes on where it stopped, finishes what is to be retried, and registers only
// what was added or changed since.
// When ctx ends, work stops in order and Run gives the error of ctx.
func (b *Baler) Run(ctx context.Context, s Submission) (ran RunResult, err error) {
	sub := ingest.Submission(s)
	sources, err := sub.Sources()
	if err != nil {
		return ran, err
	}
	runKey := runKeyOf(sources, s.Recipe)
	closing, err := b.runFinal(runKey)
	if err != nil {
		return ran, err
	}
	// Looked up before the worker begins, which may end them before they are seen.
	begun, err := b.store.UnfinishedRuns(ctx, runKey, math.MaxInt64)
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
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
	err = b.ingester.WithRunLock(ctx, runKey, func(ctx context.Context) (err error) {
		if ran, err = b.runOnce(ctx, &sub, sources, begun); err != nil || !ran.FoundChanges {
			return err
		}
		if _, err := b.store.Seal(ctx, ran.Transfer.ID); err != nil {
			return fmt.Errorf("run: %w", err)
		}
		return nil
	})
	if err != nil || !ran.FoundChanges {
		return ran, err
	}
	for i := range ran.Previous {
		if ran.Previous[i], err = b.Wait(ctx, ran.Previous[i].UUID, nil); err != nil {
			return ran, err
		}
	}
	ran.Transfer, err = b.Wait(ctx, ran.Transfer.UUID, nil)
	return ran, err
}

// runOnce registers what is new, and says which of the transfers that earlier
// runs have begun are to be waited for. It returns before any is processed.
func (b *Baler) runOnce(ctx context.Context, s *ingest.Submission, sources []string, begun []tasks.Transfer) (ran RunResult, err error) {
	runKey := runKeyOf(sources, s.Recipe)
	latest, err := b.store.Latest(ctx, runKey)
	first := errors.Is(err, tasks.ErrTransferNotFound)
	if err != nil && !first {
		return ran, err
	}
	d := b.ingester.NewChangeDetector(s, sources, runKey)
	if first {
		err = d.Begin(ctx)
	} else {
		ran.Transfer = latest
		ran.Resumed, err = d.Resume(ctx, latest)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = b.ingester.Collect(ctx, s, sources, tasks.File{}, func(f tasks.File) error { return d.Add(ctx, f) })
	err = errors.Join(err, d.Close(ctx))
	t, used := d.Transfer()
	switch {
	case used:
		ran.Transfer, ran.FoundChanges = t, true
	case err == nil:
		err = ran.adoptUnfinished(ctx, b, begun, s.OnCreated)
	}
	if err == nil {
		err = ran.lookBack(ctx, b, runKey, begun)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	ran.promote(s.OnCreated)
	return ran, nil
}

// adoptUnfinished has a transfer waited for that nothing was added to, and that had not
// ended when the run began, or has come to its final steps since.
func (r *RunResult) adoptUnfinished(ctx context.Context, b *Baler, begun []tasks.Transfer, started func(tasks.Transfer)) error {
	t, err := b.store.TransferByID(ctx, r.Transfer.ID)
	if err != nil {
		return err
	}
	if r.Transfer = t; t.State != tasks.StateFinalizing && !holds(begun, t.ID) {
		return nil
	}
	r.Resumed, r.FoundChanges = true, true
	if started != nil {
		started(t)
	}
	return nil
}

// lookBack finds the transfers before this one that are to be waited for too.
func (r *RunResult) lookBack(ctx context.Context, b *Baler, runKey string, begun []tasks.Transfer) (err error) {
	if r.Previous, err = b.store.UnfinishedRuns(ctx, runKey, r.Transfer.ID); err != nil {
		return err
	}
	for _, t := range begun {
		if t.ID < r.Transfer.ID && !holds(r.Previous, t.ID) {
			r.Previous = append(r.Previous, t) // ended since; waiting for it tells how
		}
	}
	slices.SortFunc(r.Previous, func(x, y tasks.Transfer) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

func holds(transfers []tasks.Transfer, id int64) bool {
	return slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return t.ID == id })
}

// promote puts the newest retried transfer in the place of one with which there
// is nothing to do.
func (r *RunResult) promote(started func(tasks.Transfer)) {
	last := len(r.Previous) - 1
	if r.FoundChanges || last < 0 {
		return
	}
	r.Transfer, r.Previous = r.Previous[last], r.Previous[:last]
	r.Resumed, r.FoundChanges = true, true
	if started != nil {
		started(r.Transfer)
	}
}

// runKeyOf names the succession of transfers of the same sources and recipe.
func runKeyOf(sources []string, r *recipe.Recipe) string {
	sum := sha256.Sum256([]byte(strings.Join(sources, "\x00") + "\x00\x00" + r.Digest()))
	return hex.EncodeToString(sum[:])
}
