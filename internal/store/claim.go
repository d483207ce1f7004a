package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// FindBatch reads a batch for a worker that received a message about it, and changes
// nothing. A batch that is not open gives ErrLeaseLost, one of a paused transfer,
// or of a step that waits for approval, ErrPaused. A row that is invalid pauses its transfer.
func (s *Store) FindBatch(ctx context.Context, id int64) (ledger.Claim, error) {
	var rows []foundBatch
	q := s.db.Session(ctx).Raw(`SELECT b.*, t.state, t.paused_at, t.deadline_exceeded,
			t.created_at AS transfer_created_at, t.last_paused_at, t.resumed_at,
			(SELECT g.approved_at FROM steps g WHERE g.transfer_id = b.transfer_id AND g.no = b.step_no) AS approved_at,
			EXISTS (SELECT 1 FROM canceled_files c WHERE c.transfer_id = b.transfer_id) AS some_canceled,
			CASE WHEN `+notGated+` THEN 0 ELSE 1 END AS gated
		FROM batches b JOIN transfers t ON t.id = b.transfer_id WHERE b.id = ? AND b.gathering = 0`, id)
	err := scanEach(q, &rows, func(raw rawRow, err error) foundBatch { return foundBatch{Batch: unreadableBatch(raw, err)} })
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("find batch %d: %w", id, err)
	}
	if len(rows) == 0 {
		return ledger.Claim{}, ledger.ErrLeaseLost
	}
	row := &rows[0]
	if (row.PausedAt != nil || row.Gated) && row.State != tasks.StateCanceled {
		return ledger.Claim{}, ledger.ErrPaused
	}
	b, err := row.Batch.batch()
	if err != nil {
		return ledger.Claim{}, cmp.Or(s.suspendFor(ctx, &row.Batch, err), ledger.ErrPaused)
	}
	return ledger.Claim{
		Batch: b, Canceled: row.State == tasks.StateCanceled, SomeCanceled: row.SomeCanceled,
		DeadlineExceeded: row.DeadlineExceeded,
		HeldBy:           row.Batch.HeldBy, HeldUntil: value(row.Batch.HeldUntil),
		Gap: ledger.Gap{
			TransferCreatedAt: row.TransferCreatedAt, BatchCreatedAt: row.Batch.CreatedAt,
			PausedFrom: value(row.LastPausedAt), PausedUntil: value(row.ResumedAt), ApprovedAt: row.ApprovedAt.Time,
		},
	}, nil
}

// foundBatch is a batch with what decides of its transfer.
type foundBatch struct {
	Batch    batchRow `gorm:"embedded"`
	State    tasks.State
	PausedAt *time.Time
	Gated    bool // its step waits for approval

	SomeCanceled bool

	DeadlineExceeded  bool
	TransferCreatedAt time.Time
	LastPausedAt      *time.Time
	ResumedAt         *time.Time
	ApprovedAt        aggregateTime
}

// holdTime is for how long a worker's word counts that it runs a batch: as long as a
// heartbeat.
const holdTime = workerTTL

// ClaimBatch claims a batch that FindBatch has read. When it may have run before, the
// worker takes it over: the fencing token is raised. That is so when the ledger says
// it, or when lost says that the queue saw a worker die with it. The queue may be wrong,
// as clocks differ: while another worker holds the batch, or when it has changed since
// it was read, ClaimBatch gives ErrClaimed.
func (s *Store) ClaimBatch(ctx context.Context, c *ledger.Claim, worker string, lost bool) error {
	worker = db.ClipText(worker, 128)
	if c.HeldBy != worker && c.HeldUntil.After(s.db.Stamp()) {
		return ledger.ErrClaimed
	}
	if !lost && c.FencingToken == 0 && c.HeldBy == "" {
		return nil
	}
	crashes := c.Crashes
	if lost {
		crashes = max(crashes, 1)
	}
	err := s.db.Write(ctx, "take over batch", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec(`UPDATE batches SET fencing_token = fencing_token + 1, crashes = ?, held_by = ?, held_until = ?, progress = NULL
			WHERE id = ? AND fencing_token = ? AND (held_until IS NULL OR held_until <= ? OR held_by = ?)`,
			crashes, worker, now.Add(holdTime), c.ID, c.FencingToken, now, worker)
		if u.Error == nil && u.RowsAffected == 0 {
			return ledger.ErrClaimed
		}
		return u.Error
	})
	if err != nil {
		return err
	}
	c.FencingToken++
	c.Crashes, c.Redelivered = crashes, true
	return nil
}

// HasRun reports whether a batch that is not in the ledger was there once: whether it
// has recorded results or attempts of these files at a step.
func (s *Store) HasRun(ctx context.Context, batch, transfer int64, step int, files tasks.Ranges) (bool, error) {
	if files.Len() == 0 {
		return false, nil
	}
	for _, table := range []any{&resultRecord{}, &attemptRow{}} {
		var found []int64
		q := s.db.Session(ctx).Model(table).Where("transfer_id = ? AND step_no = ? AND batch_id = ?", transfer, step, batch)
		if err := db.WhereInRanges(q, "file_no", files).Limit(1).Pluck("file_no", &found).Error; err != nil {
			return false, fmt.Errorf("look for batch %d: %w", batch, err)
		}
		if len(found) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// HoldBatches says that a worker runs batches and is alive. Until a worker's word has
// expired, its batches do not count as lost, whatever the queue says.
func (s *Store) HoldBatches(ctx context.Context, worker string, batches []tasks.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	ids := make([]int64, len(batches))
	tokens := make([][]any, len(batches))
	for i := range batches {
		ids[i], tokens[i] = batches[i].ID, []any{batches[i].ID, batches[i].FencingToken}
	}
	return s.db.Write(ctx, "hold batches", func(tx *gorm.DB, now time.Time) error {
		// The list of numbers is there for MariaDB, which finds no index for pairs.
		return tx.Exec("UPDATE batches SET held_by = ?, held_until = ? WHERE id IN ? AND (id, fencing_token) IN ?",
			db.ClipText(worker, 128), now.Add(holdTime), ids, tokens).Error
	})
}

// CountCrash counts a run that is about to begin as a crash: see tasks.Batch.Crashes.
// It also holds the batch. When the batch is no longer the caller's it gives
// ErrLeaseLost.
func (s *Store) CountCrash(ctx context.Context, b *tasks.Batch, worker string) error {
	err := s.db.Write(ctx, "charge batch", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE batches SET crashes = ?, held_by = ?, held_until = ? WHERE id = ? AND fencing_token = ?",
			b.Crashes+1, db.ClipText(worker, 128), now.Add(holdTime), b.ID, b.FencingToken)
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
