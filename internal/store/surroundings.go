package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ledger"
)

// waitingPage is how many transfers CountWaiting reads at a time.
const waitingPage = 500

// CountWaiting counts the unfinished transfers that stand still, by the reason.
func (s *Store) CountWaiting(ctx context.Context, around *ledger.Surroundings) (map[ledger.WaitReason]int64, error) {
	counts := make(map[ledger.WaitReason]int64)
	for after := int64(0); ; {
		var rows []transferRow
		q := s.db.Session(ctx).Where("state IN ? AND id > ?", unfinishedStates(), after).Order("id").Limit(waitingPage)
		if err := findEach(q, &rows, unreadableTransfer); err != nil {
			return nil, fmt.Errorf("list unfinished transfers: %w", err)
		}
		transfers, err := s.withSteps(ctx, rows)
		if err != nil {
			return nil, err
		}
		for i := range transfers {
			if why := around.Waiting(&transfers[i]); why.Reason != "" {
				counts[why.Reason]++
			}
		}
		if len(rows) < waitingPage {
			return counts, nil
		}
		after = rows[len(rows)-1].ID
	}
}

// Surroundings reads the rows that decide whether transfers make progress.
func (s *Store) Surroundings(ctx context.Context) (around ledger.Surroundings, err error) {
	around.Now = s.db.Now()
	if around.Workers, err = s.Workers(ctx); err != nil {
		return around, err
	}
	if around.Limits, err = s.Limits(ctx); err != nil {
		return around, err
	}
	// Batches of ended transfers hold slots too, until their workers notice.
	err = s.db.Session(ctx).Model(&batchRow{}).Where("held_until > ?", s.db.Stamp()).
		Select("transfer_id, queue, held_by, COUNT(*) AS batches").Group("transfer_id, queue, held_by").Scan(&around.Held).Error
	if err != nil {
		return around, fmt.Errorf("count batches that run: %w", err)
	}
	around.Retries, err = retries(s.db.Session(ctx))
	return around, err
}
