package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// sendGrace is how long the process that commits a batch has to enqueue it before the
// dispatcher checks whether the queue has it.
const sendGrace = 15 * time.Second

// AddBatches writes batches in a transaction of their own, and sets their IDs.
func (s *Store) AddBatches(ctx context.Context, batches []tasks.Batch) error {
	return s.db.Write(ctx, "write batches", func(tx *gorm.DB, now time.Time) error {
		return insertBatches(tx, batches, now)
	})
}

func insertBatches(tx *gorm.DB, batches []tasks.Batch, now time.Time) error {
	if len(batches) == 0 {
		return nil
	}
	rows := make([]batchRow, len(batches))
	for i := range batches {
		rows[i] = newBatchRow(&batches[i], now, sendGrace)
	}
	if err := tx.CreateInBatches(rows, db.RowsPerInsert(tx)).Error; err != nil {
		return fmt.Errorf("write batches: %w", err)
	}
	if err := db.AssignIDs(tx, rows, db.RowsPerInsert(tx), func(r *batchRow) *int64 { return &r.ID }); err != nil {
		return err
	}
	for i := range batches {
		batches[i].ID = rows[i].ID
	}
	return nil
}

// selectedBySteps counts the files of first attempts by step.
func selectedBySteps(batches []tasks.Batch) map[int]int64 {
	m := make(map[int]int64)
	for i := range batches {
		if batches[i].Attempt == 1 {
			m[batches[i].Step] += int64(batches[i].Items())
		}
	}
	return m
}

// DueBatches lists batches that the dispatcher should look after now: later attempts
// whose time has come, and batches that have been out for long. It leaves out those that
// a live worker holds.
func (s *Store) DueBatches(ctx context.Context, limit int) ([]tasks.Batch, error) {
	var rows []batchRow
	now := s.db.Stamp()
	q := s.db.Session(ctx).Table("batches b").
		Where("gathering = ? AND due_at <= ? AND (held_until IS NULL OR held_until <= ?)", false, now, now).
		Where(notKeptBack, tasks.StateCanceled).
		Order("due_at").Limit(limit)
	if err := findEach(q, &rows, unreadableBatch); err != nil {
		return nil, fmt.Errorf("list due batches: %w", err)
	}
	rows, err := s.buryOrphans(ctx, rows)
	if err != nil {
		return nil, err
	}
	return s.readable(ctx, rows)
}

// OpenBatches lists every batch of a transfer in the ledger, bounded by its window.
func (s *Store) OpenBatches(ctx context.Context, transfer int64) ([]tasks.Batch, error) {
	var rows []batchRow
	if err := findEach(s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("id"), &rows, unreadableBatch); err != nil {
		return nil, fmt.Errorf("list open batches: %w", err)
	}
	return s.readable(ctx, rows)
}

// Reschedule sets when the dispatcher looks at batches again. With sent, they are
// about to be sent again: a worker that still holds one loses its lease.
func (s *Store) Reschedule(ctx context.Context, ids []int64, by time.Duration, sent bool) error {
	if len(ids) == 0 {
		return nil
	}
	more := 0
	if sent {
		more = 1
	}
	return s.db.Write(ctx, "defer batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET due_at = ?, fencing_token = fencing_token + ? WHERE id IN ?", now.Add(by), more, ids).Error
	})
}

// ReclaimBatches takes batches from a worker that died with them, which makes them
// suspect, and says when the dispatcher looks at them again.
func (s *Store) ReclaimBatches(ctx context.Context, ids []int64, by time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	return s.db.Write(ctx, "take back batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec(`UPDATE batches SET due_at = ?, fencing_token = fencing_token + 1, held_until = NULL,
				crashes = CASE WHEN crashes = 0 THEN 1 ELSE crashes END
			WHERE id IN ?`,
			now.Add(by), ids).Error
	})
}

// MakeAllDue makes every batch due now. It is for a process that knows that the
// queue is empty, as when the queue lives in its own memory and it just started.
func (s *Store) MakeAllDue(ctx context.Context) error {
	return s.db.Write(ctx, "make batches due", func(tx *gorm.DB, now time.Time) error {
		// Nor does any worker run what it had from that queue.
		return tx.Exec(`UPDATE batches SET due_at = CASE WHEN due_at > ? THEN ? ELSE due_at END, held_until = NULL
			WHERE due_at > ? OR held_until > ?`, now, now, now, now).Error
	})
}

// ReleaseBatch releases a batch that was not finished and makes it due at once. Later
// recordings of the caller are refused.
func (s *Store) ReleaseBatch(ctx context.Context, b *tasks.Batch) error {
	return s.db.Write(ctx, "release batch", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec(`UPDATE batches SET fencing_token = fencing_token + 1, crashes = ?, due_at = ?, held_until = NULL
			WHERE id = ? AND fencing_token = ?`, b.Crashes, now, b.ID, b.FencingToken).Error
	})
}

// SplitBatch replaces a batch by smaller ones, which keep its attempt; their IDs are
// filled in. When the batch is no longer the caller's it gives ErrLeaseLost.
func (s *Store) SplitBatch(ctx context.Context, b *tasks.Batch, parts []tasks.Batch) error {
	return s.db.Write(ctx, "split batch", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("DELETE FROM batches WHERE id = ? AND fencing_token = ?", b.ID, b.FencingToken)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return ledger.ErrLeaseLost
		}
		if err := insertBatches(tx, parts, now); err != nil {
			return err
		}
		return inherit(tx, b, parts)
	})
}

// inherit makes what a batch has recorded its parts' own: they move those
// files on.
func inherit(tx *gorm.DB, b *tasks.Batch, parts []tasks.Batch) error {
	for i := range parts {
		q := tx.Model(&resultRecord{}).Where("transfer_id = ? AND step_no = ? AND batch_id = ?", b.Transfer, b.Step, b.ID)
		if err := db.WhereInRanges(q, "file_no", parts[i].Files).Update("batch_id", parts[i].ID).Error; err != nil {
			return fmt.Errorf("assign results to a part: %w", err)
		}
	}
	return nil
}

// BatchesByID reads batches that were sent, those of them that are not complete, and
// of which no worker has said for a while that it holds them.
func (s *Store) BatchesByID(ctx context.Context, ids []int64, silence time.Duration) ([]tasks.Batch, error) {
	var rows []batchRow
	q := s.db.Session(ctx).Where("id IN ? AND gathering = ? AND (held_until IS NULL OR held_until <= ?)",
		ids, false, s.db.Stamp().Add(holdTime-silence)).Order("id")
	if err := findEach(q, &rows, unreadableBatch); err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return s.readable(ctx, rows)
}

// notKeptBack selects batches that neither a pause of their transfer keeps back nor a step that
// waits for approval: the queue may have no message of those. It is for a query of batches b,
// and takes tasks.StateCanceled.
const notKeptBack = "NOT EXISTS (SELECT 1 FROM transfers t WHERE t.id = b.transfer_id AND (t.paused_at IS NOT NULL " +
	"OR t.state <> ? AND NOT (" + notGated + ")))"

// BatchesAfter lists batches that were sent, by number: those above after that no live
// worker holds, and that neither a pause nor an approval keeps back. last is the number of the
// last one that was looked at, 0 when there are no more.
func (s *Store) BatchesAfter(ctx context.Context, after int64, limit int) (batches []tasks.Batch, last int64, err error) {
	var rows []batchRow
	q := s.db.Session(ctx).Table("batches b").
		Where("id > ? AND gathering = ? AND (held_until IS NULL OR held_until <= ?)", after, false, s.db.Stamp()).
		Where(notKeptBack, tasks.StateCanceled).Order("id").Limit(limit)
	if err := findEach(q, &rows, unreadableBatch); err != nil {
		return nil, 0, fmt.Errorf("list batches: %w", err)
	}
	if len(rows) > 0 {
		last = rows[len(rows)-1].ID
	}
	batches, err = s.readable(ctx, rows)
	return batches, last, err
}

// MakeDue makes a transfer's batches due now.
func (s *Store) MakeDue(ctx context.Context, id int64) error {
	return s.db.Write(ctx, "make batches due", func(tx *gorm.DB, now time.Time) error { return makeDue(tx, id, now) })
}

// makeDue makes a transfer's batches due, so that the dispatcher sends them now.
func makeDue(tx *gorm.DB, id int64, now time.Time) error {
	err := tx.Exec("UPDATE batches SET due_at = ? WHERE transfer_id = ? AND due_at > ?", now, id, now).Error
	if err != nil {
		return fmt.Errorf("make batches due: %w", err)
	}
	return nil
}
