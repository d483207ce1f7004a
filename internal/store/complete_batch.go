package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// Record commits any number of completions, of different batches and transfers,
// in one transaction: results, failed attempts, the batches that follow, the end
// of the batch's ledger row, counters last. It returns the result of each: a
// completion whose batch was taken over or closed gets ErrLeaseLost, one that
// contradicts what the same batch recorded under an earlier fencing token gets
// ErrResultExists, one that would move on files which another batch recorded first a
// RecordedElsewhereError, and nothing of it is written. A result that exists already
// stays as it is. The error returned concerns all completions: nothing was written.
func (s *Store) Record(ctx context.Context, recs []*ledger.BatchCompletion) ([]ledger.CompletionResult, error) {
	careful := false
	for attempt := 0; ; attempt++ {
		var done []ledger.CompletionResult
		err := s.db.Write(ctx, "record results", func(tx *gorm.DB, now time.Time) (err error) {
			done, err = record(tx, recs, careful, s.db.Dialect(), now)
			return err
		})
		if err == nil {
			return done, nil
		}
		if !db.IsDuplicate(err) || attempt == db.MaxWriteAttempts {
			return nil, err
		}
		careful = true // some results exist: look up which, and leave them out
	}
}

// completion is one completion during one run of the transaction.
type completion struct {
	*ledger.BatchCompletion
	ledger.CompletionResult

	written time.Time // when the row of its batch was
}

func record(
	tx *gorm.DB, recs []*ledger.BatchCompletion, careful bool, dialect db.Dialect, now time.Time,
) ([]ledger.CompletionResult, error) {
	all := make([]completion, len(recs))
	for i := range recs {
		all[i].BatchCompletion = recs[i]
	}
	held, err := hold(tx, all, dialect)
	if err != nil {
		return nil, err
	}
	w, err := collectWrites(tx, held, careful)
	if err != nil {
		return nil, err
	}
	if err := w.write(tx, now); err != nil {
		return nil, err
	}
	done := make([]ledger.CompletionResult, len(all))
	for i := range all {
		done[i] = all[i].CompletionResult
	}
	return done, nil
}
