package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// Record commits any number of recordings, of different batches and transfers,
// in one transaction: results, failed tries, the batches that follow, the end
// of the batch's ledger row, counters last. A recording whose batch was taken
// over or closed gets ErrLeaseLost in its Err, one that contradicts what an earlier
// delivery of its batch has recorded gets ErrResultExists, and nothing of it is
// written; a result that is there already stays as it is. The error returned is
// about all of them: nothing was written.
func (s *Store) Record(ctx context.Context, recs []*ledger.BatchCompletion) error {
	careful := false
	for try := 0; ; try++ {
		err := s.db.Write(ctx, "record results", func(tx *gorm.DB, now time.Time) error {
			return record(tx, recs, careful, s.db.Dialect(), now)
		})
		if !db.IsDuplicate(err) || try == db.MaxWriteAttempts {
			return err
		}
		careful = true // some results are there: find out which, and leave them out
	}
}

func record(tx *gorm.DB, recs []*ledger.BatchCompletion, careful bool, dialect db.Dialect, now time.Time) error {
	held, err := hold(tx, recs, dialect)
	if err != nil {
		return err
	}
	var tally counterChanges
	var results []resultRecord
	var tries []attemptRow
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
			results = own // most transactions have one recording
		} else {
			results = append(results, own...)
		}
		tries = append(tries, attemptRows(r)...)
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
	if err := db.InsertBySize(tx, tries, func(r *attemptRow) int { return r.End.size() }); err != nil {
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
