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

// RunResult is the result of Run.
type RunResult struct {
	Transfer     tasks.Transfer   // the transfer that ran, or the last one when nothing had changed
	Previous     []tasks.Transfer // earlier transfers that also ended in this run, because they were retried
	Resumed      bool             // an earlier run began the transfer
	FoundChanges bool             // false: no file was processed
	Changes      RunChanges

	// Failures counts files of all runs that have not changed since their newest result,
	// which is a failure that was not accepted.
	Failures []RunFailures

	// Damaged has the first of the DamagedFiles files whose digest has changed although
	// their size and modification time are the same.
	Damaged      []tasks.File
	DamagedFiles int64

	// Fixity says how the files compare with what earlier transfers of the same sources have
	// recorded; nil unless the recipe says fixity.
	Fixity *FixityResult

	// Paused are unfinished transfers of earlier runs that a person has paused.
	Paused []tasks.Transfer

	// Final is the transfer without files that ran final steps which had not yet run over
	// the present files; zero when there was none.
	Final tasks.Transfer

	inputs map[int]string // of the final steps, by their numbers
}

// RunFailures counts the files of a run whose results in one transfer are failures.
type RunFailures struct {
	Transfer tasks.Transfer
	Files    int64
}

// damagedShown is how many damaged files a RunResult names.
const damagedShown = 10

// RunChanges counts the changes that a Run found.
type RunChanges = ingest.Changes

// adoptUnfinished makes the run wait for a transfer to which it added no file, if the
// transfer had not ended when the run began, or now runs its final steps.
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

// lookBack finds the earlier transfers that the run must also wait for.
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

// wait waits until all transfers of the run have ended, and reads their final state.
func (r *RunResult) wait(ctx context.Context, b *Baler) (err error) {
	for i := range r.Previous {
		if r.Previous[i], err = b.waitAttended(ctx, r.Previous[i]); err != nil {
			return err
		}
	}
	r.Transfer, err = b.waitAttended(ctx, r.Transfer)
	return err
}

// lookForFailures finds the failures, damaged files and paused transfers of all runs.
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
