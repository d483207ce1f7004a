package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// Thumbnails reads where steps have written pictures of files: the paths in the fact
// thumbnails of their results. Files without one are left out.
func (s *Store) Thumbnails(ctx context.Context, transfer int64, steps []int, files tasks.Ranges) (map[int64][]string, error) {
	if len(steps) == 0 || len(files) == 0 {
		return map[int64][]string{}, nil // nothing makes pictures
	}
	var rows []resultRecord
	q := s.db.Session(ctx).Select("file_no", "facts").
		Where("transfer_id = ? AND step_no IN ? AND outcome IN ? AND facts IS NOT NULL", transfer, steps,
			[]tasks.Outcome{tasks.OutcomeSucceeded, tasks.OutcomeWarning})
	if err := db.WhereInRanges(q, "file_no", files).Order("step_no, file_no").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read thumbnails: %w", err)
	}
	all := make(map[int64][]string)
	for i := range rows {
		var facts struct {
			Thumbnails []string `json:"thumbnails"`
		}
		// A fact of another kind is not that of the handler thumbnail.
		if json.Unmarshal([]byte(*rows[i].End.Facts), &facts) == nil && len(facts.Thumbnails) > 0 {
			all[rows[i].FileNo] = facts.Thumbnails
		}
	}
	return all, nil
}
