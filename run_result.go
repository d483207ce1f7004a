package baler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/tasks"
)

// RunResult says what a Run did.
type RunResult struct {
	Transfer     tasks.Transfer   // the one that ran, or the last one when nothing had changed
	Previous     []tasks.Transfer // earlier ones that ended in this run too: retried after newer ones had begun
	Resumed      bool             // it was begun by an earlier run
	FoundChanges bool             // false: no file was processed
	Changes      RunChanges

	// Failures are of files of all runs, as they are now, whose newest result is a
	// failure that were not accepted.
	Failures []RunFailures

	// Damaged are the first files, of DamagedFiles, whose content has another digest than
	// earlier, although their size and modification time are the same.
	Damaged      []tasks.File
	DamagedFiles int64

	// Paused are unfinished transfers of earlier runs that a person has paused.
	Paused []tasks.Transfer

	// Final is a transfer without files, for final steps that had not run over the files
	// as they are now; zero when there was none.
	Final tasks.Transfer
}

// RunFailures counts the files of a run whose results in one transfer are failures.
type RunFailures struct {
	Transfer tasks.Transfer
	Files    int64
}

// damagedShown is how many damaged files a RunResult has.
const damagedShown = 10

// RunChanges counts what a Run has found.
type RunChanges = ingest.Changes

// adoptUnfinished makes the run wait for a transfer to which no file was added, and
// which had not ended when the run began, or has reached its final steps since.
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

// lookBack finds the earlier transfers that the run must wait for too.
func (r *RunResult) lookBack(ctx context.Context, b *Baler, runKey string, begun []tasks.Transfer) (err error) {
	if r.Previous, err = b.store.UnfinishedRuns(ctx, runKey, r.Transfer.ID); err != nil {
		return err
	}
	for _, t := range begun {
		if t.ID < r.Transfer.ID && !holds(r.Previous, t.ID) {
			r.Previous = append(r.Previous, t) // ended since; waiting for it reads how it ended
		}
	}
	slices.SortFunc(r.Previous, func(x, y tasks.Transfer) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

func holds(transfers []tasks.Transfer, id int64) bool {
	return slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return t.ID == id })
}

// promote replaces a transfer that has nothing to do by the newest retried one.
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

// wait waits for the end of all transfers of the run, and reads them as they ended.
func (r *RunResult) wait(ctx context.Context, b *Baler) (err error) {
	for i := range r.Previous {
		if r.Previous[i], err = b.waitAttended(ctx, r.Previous[i]); err != nil {
			return err
		}
	}
	r.Transfer, err = b.waitAttended(ctx, r.Transfer)
	return err
}

// lookForFailures finds what is left to do of all runs.
func (r *RunResult) lookForFailures(ctx context.Context, b *Baler, runKey string) error {
	failed, err := b.store.OpenFailures(ctx, runKey)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		t, err := b.store.TransferByID(ctx, id)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		r.Failures = append(r.Failures, RunFailures{Transfer: t, Files: failed[id]})
	}
	if r.DamagedFiles, err = b.store.CountDamaged(ctx, runKey); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if r.DamagedFiles > 0 {
		damaged, err := b.store.DamagedFiles(ctx, runKey, damagedShown)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		for i := range damaged {
			r.Damaged = append(r.Damaged, damaged[i].File)
		}
	}
	if r.Paused, err = b.store.PausedRuns(ctx, runKey); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}
