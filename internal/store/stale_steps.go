package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// markStale records that a collection has changed: the outputs of its final steps no longer
// cover it, and running final steps may have missed the change.
func markStale(tx *gorm.DB, runKey string) error {
	if runKey == "" {
		return nil
	}
	err := tx.Exec("UPDATE finalize_steps SET stale = ? WHERE stale = ? AND transfer_id IN (SELECT id FROM transfers WHERE run_key = ?)",
		true, false, runKey).Error
	if err != nil {
		return fmt.Errorf("mark final steps as stale: %w", err)
	}
	return nil
}

// NoteInputs notes what the final steps of a transfer depend on besides its files. It must
// be called before the first of them can run.
func (s *Store) NoteInputs(ctx context.Context, transfer int64, steps []tasks.FinalizeStep) error {
	if len(steps) == 0 {
		return nil
	}
	return s.db.Write(ctx, "note the inputs of final steps", func(tx *gorm.DB, _ time.Time) error {
		for i := range steps {
			err := tx.Exec("UPDATE finalize_steps SET inputs = ? WHERE transfer_id = ? AND no = ? AND digest = ?",
				steps[i].Inputs, transfer, steps[i].Number, steps[i].Digest).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// OpenFinalSteps returns those of the steps that have not run, and will not run, over the
// collection and their other inputs as they are. A step that failed counts as run when its
// transfer is one of tried.
func (s *Store) OpenFinalSteps(
	ctx context.Context, runKey string, steps []tasks.FinalizeStep, tried []int64,
) (open []tasks.FinalizeStep, err error) {
	if len(steps) == 0 {
		return nil, nil
	}
	inputs := make(map[string]string, len(steps))
	for i := range steps {
		inputs[steps[i].Digest] = steps[i].Inputs
	}
	var rows []struct {
		TransferID    int64
		Digest        string
		Inputs        string
		State         tasks.FinalizeState
		Stale         bool
		TransferState tasks.State
	}
	err = s.db.Session(ctx).Table("finalize_steps s").
		Select("s.transfer_id, s.digest, s.inputs, s.state, s.stale, t.state AS transfer_state").
		Joins("JOIN transfers t ON t.id = s.transfer_id").
		Where("t.run_key = ? AND s.digest IN ?", runKey, sortedKeys(inputs)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look for final steps that have run: %w", err)
	}
	covered := make(map[string]bool)
	for _, r := range rows {
		switch {
		case r.State == tasks.FinalizeWaiting && !r.TransferState.Ended():
			covered[r.Digest] = true // it will read what is there then
		case r.Stale:
		case r.State == tasks.FinalizeFailed && slices.Contains(tried, r.TransferID):
			covered[r.Digest] = true
		case r.Inputs != inputs[r.Digest]:
		case r.State == tasks.FinalizeDone, r.State == tasks.FinalizeRunning:
			covered[r.Digest] = true
		}
	}
	for i := range steps {
		if !covered[steps[i].Digest] {
			open = append(open, steps[i])
		}
	}
	return open, nil
}
