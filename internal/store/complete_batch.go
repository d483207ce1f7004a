package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// Record commits any number of completions, of different batches and transfers,
// in one transaction: results, failed attempts, the batches that follow, the end
// of the batch's ledger row, counters last. It sets the CompletionResult of each: a
// completion whose batch was taken over or closed gets ErrLeaseLost, one that
// contradicts what the same batch recorded under an earlier fencing token gets
// ErrResultExists, and nothing of it is written. A result that exists already stays
// as it is. The error returned concerns all completions: nothing was written.
func (s *Store) Record(ctx context.Context, recs []*ledger.BatchCompletion) error {
	careful := false
	for attempt := 0; ; attempt++ {
		err := s.db.Write(ctx, "record results", func(tx *gorm.DB, now time.Time) error {
			return record(tx, recs, careful, s.db.Dialect(), now)
		})
		if !db.IsDuplicate(err) || attempt == db.MaxWriteAttempts {
			return err
		}
		careful = true // some results exist: look up which, and leave them out
	}
}

func record(tx *gorm.DB, recs []*ledger.BatchCompletion, careful bool, dialect db.Dialect, now time.Time) error {
	held, err := hold(tx, recs, dialect)
	if err != nil {
		return err
	}
	var tally counterChanges
	var results []resultRecord
	var attempts []attemptRow
	first := make(recordedFiles)
	kept := held[:0]
	for _, r := range held {
		own, foreign, err := splitCompletion(r, tx, careful, first)
		if err != nil {
			return err
		}
		if r.Err != nil {
			continue
		}
		kept = append(kept, r)
		if results == nil {
			results = own // most transactions have one completion
		} else {
			results = append(results, own...)
		}
		attempts = append(attempts, attemptRows(r)...)
		tally.results(r.Batch, own)
		r.FollowUp, r.Completed = ledger.FollowUp{}, false
		if r.Next != nil {
			r.FollowUp = r.Next(foreign)
			tally.closing(r)
		}
	}
	held = kept
	if err := insertResults(tx, results); err != nil {
		return err
	}
	if err := db.InsertBySize(tx, attempts, func(r *attemptRow) int { return r.End.size() }); err != nil {
		return fmt.Errorf("insert attempts: %w", err)
	}
	if err := closeBatches(tx, held, now); err != nil {
		return err
	}
	done, err := tally.commit(tx, now)
	for _, r := range held {
		if r.Next != nil && done[r.Batch.Transfer] {
			r.Completed = true
			delete(done, r.Batch.Transfer) // one of them reports it
		}
	}
	return err
}
