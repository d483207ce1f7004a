package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ledger"
)

// Surroundings reads what decides whether transfers go on, as far as the database knows it.
func (s *Store) Surroundings(ctx context.Context) (around ledger.Surroundings, err error) {
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
	return around, nil
}
