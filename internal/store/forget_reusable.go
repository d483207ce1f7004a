package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// ForgetReusable makes results of a handler that ended before a time run again instead of
// being taken over, and counts them. The results themselves stay. It deletes a page in each
// transaction.
func (s *Store) ForgetReusable(ctx context.Context, handler string, before time.Time) (forgotten int64, err error) {
	statement := "DELETE FROM reusable_results WHERE handler = ? AND ran_at < ? LIMIT ?"
	if s.db.Dialect() == db.SQLite { // which knows no DELETE with LIMIT
		statement = `DELETE FROM reusable_results WHERE (file_key, fingerprint) IN (
			SELECT file_key, fingerprint FROM reusable_results WHERE handler = ? AND ran_at < ? LIMIT ?)`
	}
	for {
		var n int64
		err := s.db.Write(ctx, "forget reusable results", func(tx *gorm.DB, _ time.Time) error {
			u := tx.Exec(statement, handler, before.UTC(), deletePage)
			n = u.RowsAffected
			return u.Error
		})
		if err != nil || n == 0 {
			return forgotten, err
		}
		forgotten += n
	}
}

// CountReusable counts the results that can be taken over, by handler.
func (s *Store) CountReusable(ctx context.Context) ([]ledger.ReuseCount, error) {
	var rows []struct {
		Handler        string
		Results        int64
		Oldest, Newest aggregateTime
	}
	err := s.db.Session(ctx).Model(&reusableRow{}).
		Select("handler, COUNT(*) AS results, MIN(ran_at) AS oldest, MAX(ran_at) AS newest").
		Group("handler").Order("handler").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("count reusable results: %w", err)
	}
	counts := make([]ledger.ReuseCount, len(rows))
	for i, r := range rows {
		counts[i] = ledger.ReuseCount{Handler: r.Handler, Results: r.Results, Oldest: r.Oldest.UTC(), Newest: r.Newest.UTC()}
	}
	return counts, nil
}
