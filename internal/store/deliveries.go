package store

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ledger"
)

// Deliveries reads up to limit of a transfer's newest webhook messages, newest first.
func (s *Store) Deliveries(ctx context.Context, transfer int64, limit int) ([]ledger.Delivery, error) {
	var rows []WebhookDelivery
	err := s.db.Session(ctx).Omit("body").Where("transfer_id = ?", transfer).Order("id DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list webhook messages: %w", err)
	}
	all := make([]ledger.Delivery, len(rows))
	for i := range rows {
		r := &rows[i]
		all[i] = ledger.Delivery{
			URL: r.URL, CreatedAt: r.CreatedAt.UTC(), DoneAt: value(r.DoneAt), DueAt: value(r.DueAt), Attempts: r.Attempts, Error: r.Error,
		}
	}
	return all, nil
}
