package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// maxFirst is how many transfers FirstOfTransfers looks at: as many as the queue lets
// start early, or more.
const maxFirst = 64

// FirstOfTransfers returns the IDs of those batches whose transfers have no older one that
// is sent and not complete. Of the batches of many transfers it looks at those of some.
func (s *Store) FirstOfTransfers(ctx context.Context, batches []tasks.Batch) (map[int64]bool, error) {
	oldest := make(map[int64]int64) // by transfer
	for i := range batches {
		b := &batches[i]
		if id, seen := oldest[b.Transfer]; seen && b.ID < id || !seen && len(oldest) < maxFirst {
			oldest[b.Transfer] = b.ID
		}
	}
	if len(oldest) == 0 {
		return map[int64]bool{}, nil
	}
	ids := make([]int64, 0, len(oldest))
	for _, id := range oldest {
		ids = append(ids, id)
	}
	var found []int64
	err := s.db.Session(ctx).Raw(`SELECT b.id FROM batches b WHERE b.id IN ? AND NOT EXISTS (
		SELECT 1 FROM batches o WHERE o.transfer_id = b.transfer_id AND o.id < b.id AND o.gathering = 0)`, ids).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("look for older batches: %w", err)
	}
	first := make(map[int64]bool, len(found))
	for _, id := range found {
		first[id] = true
	}
	return first, nil
}
