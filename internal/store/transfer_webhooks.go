package store

import (
	"context"
	"fmt"
	"strings"
)

// WebhookURLs returns the URLs that are notified of a transfer's end.
func (s *Store) WebhookURLs(ctx context.Context, transfer int64) ([]string, error) {
	var row transferRow
	if err := s.db.Session(ctx).Select("webhooks").Where("id = ?", transfer).Take(&row).Error; err != nil {
		return nil, fmt.Errorf("read which webhooks a transfer has: %w", err)
	}
	return strings.Fields(row.Webhooks), nil
}
