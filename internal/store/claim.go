package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ClaimBatch reads a batch for a worker that received its message. A batch that is
// closed gives ErrLeaseLost, one of a paused transfer ErrPaused. When the batch may
// have run before, the worker takes over: the fencing token is raised. That is
// so when the ledger says it, or when lost says that the queue saw a worker die
// with it.
func (s *Store) ClaimBatch(ctx context.Context, id int64, lost bool) (ledger.Claim, error) {
	for {
		row, err := s.readClaim(ctx, id)
		if err != nil {
			return ledger.Claim{}, err
		}
		b, err := row.Batch.batch()
		if err != nil {
			return ledger.Claim{}, fmt.Errorf("pick up batch %d: %w", id, err)
		}
		h := ledger.Claim{Batch: b, Canceled: row.State == tasks.StateCanceled}
		if !lost && b.FencingToken == 0 {
			return h, nil
		}
		h.Redelivered, err = s.raiseToken(ctx, &h.Batch, lost)
		if err != nil || h.Redelivered {
			return h, err
		}
	}
}

type claimRow struct {
	Batch    batchRow `gorm:"embedded"`
	State    tasks.State
	PausedAt *time.Time
}

func (s *Store) readClaim(ctx context.Context, id int64) (row claimRow, err error) {
	found := s.db.Session(ctx).Raw(`SELECT b.*, t.state, t.paused_at
		FROM batches b JOIN transfers t ON t.id = b.transfer_id WHERE b.id = ? AND b.gathering = 0`, id).Scan(&row)
	switch {
	case found.Error != nil:
		return row, fmt.Errorf("pick up batch %d: %w", id, found.Error)
	case found.RowsAffected == 0:
		return row, ledger.ErrLeaseLost
	case row.PausedAt != nil && row.State != tasks.StateCanceled:
		return row, ledger.ErrPaused
	}
	return row, nil
}

func (s *Store) raiseToken(ctx context.Context, b *tasks.Batch, lost bool) (taken bool, err error) {
	total := b.Crashes
	if lost {
		total = max(total, 1)
	}
	err = s.db.Write(ctx, "take over batch", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE batches SET fencing_token = fencing_token + 1, crashes = ? WHERE id = ? AND fencing_token = ?",
			total, b.ID, b.FencingToken)
		taken = u.RowsAffected == 1
		return u.Error
	})
	b.FencingToken++
	b.Crashes = total
	return taken, err
}

// CountCrash counts a run that is about to begin as a worker lost: see
// tasks.Batch.Lost. When the batch is no longer the caller's it gives ErrLeaseLost.
func (s *Store) CountCrash(ctx context.Context, b *tasks.Batch) error {
	err := s.db.Write(ctx, "charge batch", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE batches SET crashes = ? WHERE id = ? AND fencing_token = ?", b.Crashes+1, b.ID, b.FencingToken)
		if u.Error == nil && u.RowsAffected == 0 {
			return ledger.ErrLeaseLost
		}
		return u.Error
	})
	if err == nil {
		b.Crashes++
	}
	return err
}
