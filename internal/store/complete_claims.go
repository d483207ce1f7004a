package store

import (
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// hold locks the ledger rows and returns the completions whose batch still belongs
// to the worker; the others get ErrLeaseLost. These locks do not contend: only
// one worker holds a batch.
func hold(tx *gorm.DB, recs []completion, dialect db.Dialect) ([]*completion, error) {
	ids := make([]int64, len(recs))
	for i := range recs {
		ids[i] = recs[i].Batch.ID
	}
	slices.Sort(ids)
	query := "SELECT id, fencing_token, created_at FROM batches WHERE id IN ? ORDER BY id"
	if dialect == db.MySQL {
		query += forUpdate
	}
	var rows []struct {
		ID           int64
		FencingToken int
		CreatedAt    time.Time
	}
	if err := tx.Raw(query, slices.Compact(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("hold batches: %w", err)
	}
	token := make(map[int64]int, len(rows))
	written := make(map[int64]time.Time, len(rows))
	for _, r := range rows {
		token[r.ID], written[r.ID] = r.FencingToken, r.CreatedAt
	}
	held := make([]*completion, 0, len(recs))
	for i := range recs {
		r := &recs[i]
		d, open := token[r.Batch.ID]
		if !open || d != r.Batch.FencingToken {
			r.Err = ledger.ErrLeaseLost
			continue
		}
		r.written = written[r.Batch.ID]
		held = append(held, r)
		if r.FollowUp != nil {
			delete(token, r.Batch.ID) // a later completion of the same batch is too late
		}
	}
	return held, nil
}
