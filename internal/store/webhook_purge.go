package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// webhooksKept is how long messages are kept once they are delivered
// or given up: long enough to find out later why a receiver did not get one, and short
// enough that the table stays small.
const webhooksKept = 14 * 24 * time.Hour

// purgePage is how many messages one transaction of PurgeWebhooks looks at.
const purgePage = 500

// PurgeWebhooks deletes messages that were done with long ago, a bounded number
// of the oldest. It reports whether there may be more.
func (s *Store) PurgeWebhooks(ctx context.Context) (more bool, err error) {
	err = s.db.Write(ctx, "purge webhooks", func(tx *gorm.DB, now time.Time) error {
		var old []int64
		// By number, which follows time: the page costs the same however many
		// messages there are.
		err := tx.Raw(`SELECT id FROM (SELECT id, due_at, created_at FROM webhook_deliveries ORDER BY id LIMIT ?) oldest
			WHERE due_at IS NULL AND created_at < ?`, purgePage, now.Add(-webhooksKept)).Scan(&old).Error
		more = len(old) == purgePage
		if err != nil || len(old) == 0 {
			return err
		}
		return tx.Exec("DELETE FROM webhook_deliveries WHERE id IN ?", old).Error
	})
	return more, err
}
