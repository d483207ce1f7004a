package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// FormerDigests reads the digests that were recorded first of files of a transfer, of each
// kind: those of results that were retried since count too. One that a successful result
// recorded counts before those of failures, which a person may have repaired.
func (s *Store) FormerDigests(ctx context.Context, transfer int64, files tasks.Ranges) (map[int64]map[string]any, error) {
	steps, err := s.stepNumbers(ctx, transfer)
	if err != nil {
		return nil, err
	}
	var attempts []attemptRow
	q := s.db.Session(ctx).Select("id", "file_no", "outcome", "facts").
		Where("transfer_id = ? AND step_no IN ? AND facts IS NOT NULL", transfer, steps) // the steps choose the index
	if err := db.WhereInRanges(q, "file_no", files).Order("id").Find(&attempts).Error; err != nil {
		return nil, fmt.Errorf("read digests of attempts: %w", err)
	}
	var results []resultRecord
	q = s.db.Session(ctx).Select("file_no", "step_no", "outcome", "facts").
		Where("transfer_id = ? AND step_no IN ? AND facts IS NOT NULL", transfer, steps)
	// A later step's word wins.
	if err := db.WhereInRanges(q, "file_no", files).Order("step_no DESC, file_no").Find(&results).Error; err != nil {
		return nil, fmt.Errorf("read digests: %w", err)
	}
	found := formerDigests{succeeded: make(map[int64]map[string]any), failed: make(map[int64]map[string]any)}
	for i := range attempts {
		if err := found.add(attempts[i].FileNo, &attempts[i].End); err != nil {
			return nil, err
		}
	}
	for i := range results {
		if err := found.add(results[i].FileNo, &results[i].End); err != nil {
			return nil, err
		}
	}
	return found.first(), nil
}

// formerDigests holds the first digests of files, by how the result ended that recorded them.
type formerDigests struct{ succeeded, failed map[int64]map[string]any }

func (f *formerDigests) add(file int64, end *outcomeColumns) error {
	facts, err := decodeFacts(end.Facts)
	if err != nil {
		return err
	}
	into := f.succeeded
	if end.Outcome.StopsRecipe() {
		into = f.failed
	}
	keepFirst(into, file, facts)
	return nil
}

// first joins both: where there is one of a success, that of a failure does not count.
func (f *formerDigests) first() map[int64]map[string]any {
	for file, digests := range f.failed {
		keepFirst(f.succeeded, file, digests)
	}
	return f.succeeded
}

// keepFirst adds the digests of a file of the kinds that are not known yet.
func keepFirst(of map[int64]map[string]any, file int64, facts map[string]any) {
	for _, kind := range tasks.DigestFacts() {
		if facts[kind] == nil || of[file][kind] != nil {
			continue
		}
		if of[file] == nil {
			of[file] = make(map[string]any)
		}
		of[file][kind] = facts[kind]
	}
}
