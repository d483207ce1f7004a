package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
)

// completionWrites are the rows and counts of the completions that are not refused.
type completionWrites struct {
	completions []*completion
	results     []resultRecord
	attempts    []attemptRow
	history     []batchHistoryRow
	tally       counterChanges
}

func collectWrites(tx *gorm.DB, held []*completion, careful bool) (w completionWrites, err error) {
	first := make(recordedFiles)
	for _, r := range held {
		there, err := recordedBefore(r, tx, careful, first)
		if err != nil {
			return w, err
		}
		if r.Err = refusal(r.BatchCompletion, there); r.Err == nil {
			w.add(r, ownResults(r, there, first))
		}
	}
	return w, nil
}

func (w *completionWrites) add(r *completion, own []resultRecord) {
	w.completions = append(w.completions, r)
	if w.results == nil {
		w.results = own // most transactions have one completion
	} else {
		w.results = append(w.results, own...)
	}
	w.attempts = append(w.attempts, attemptRows(r.BatchCompletion)...)
	w.tally.results(r.Batch, own)
	if r.FollowUp != nil {
		w.tally.followUp(r.Batch, r.FollowUp)
		w.history = append(w.history, newBatchHistory(r))
	}
}

// write writes all, the counters last, and notes which completions ended a transfer.
func (w *completionWrites) write(tx *gorm.DB, now time.Time) error {
	if err := insertResults(tx, w.results); err != nil {
		return err
	}
	if err := insertReusable(tx, w.results); err != nil {
		return err
	}
	if err := w.recordEmitted(tx); err != nil {
		return err
	}
	if err := db.InsertBySize(tx, w.attempts, func(r *attemptRow) int { return r.End.size() }); err != nil {
		return fmt.Errorf("insert attempts: %w", err)
	}
	if err := insertBatchHistory(tx, w.history); err != nil {
		return err
	}
	if err := closeBatches(tx, w.completions, now); err != nil {
		return err
	}
	ended, err := w.tally.commit(tx, now)
	if err != nil {
		return err
	}
	for _, r := range w.completions {
		if r.FollowUp != nil && ended[r.Batch.Transfer] {
			r.Completed = true
			delete(ended, r.Batch.Transfer) // one of them reports it
		}
	}
	return nil
}
