package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Totals adds up all transfers. It counts states in an index and reads the rows of
// unfinished transfers only, so that ended ones cost little however many there are.
func (s *Store) Totals(ctx context.Context) (ledger.Totals, error) {
	var states []struct {
		State tasks.State
		N     int64
	}
	q := s.db.Session(ctx).Model(&transferRow{})
	if err := q.Select("state, COUNT(*) AS n").Group("state").Scan(&states).Error; err != nil {
		return ledger.Totals{}, fmt.Errorf("count transfers: %w", err)
	}
	b := ledger.Totals{Transfers: make(map[tasks.State]int64, len(states))}
	for _, st := range states {
		b.Transfers[st.State] = st.N
	}
	var files struct{ Registered, Finished int64 }
	err := s.db.Session(ctx).Model(&transferRow{}).Where("state IN ?", unfinishedStates()).
		Select("COALESCE(SUM(files), 0) AS registered, COALESCE(SUM(finished), 0) AS finished").Scan(&files).Error
	if err != nil {
		return ledger.Totals{}, fmt.Errorf("add up unfinished transfers: %w", err)
	}
	b.Registered, b.Finished = files.Registered, files.Finished
	return b, nil
}
