package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/tasks"
)

// sendGrace is how long whoever commits a batch has to enqueue it before the
// dispatcher looks whether the queue knows it.
const sendGrace = 15 * time.Second

// Backlogs lists unfinished transfers with files behind their cursor, oldest
// first, from the one behind after on.
func (s *Store) Backlogs(ctx context.Context, after int64, limit int) ([]batcher.Backlog, error) {
	var found []struct {
		ID         int64
		Via        tasks.Via
		State      tasks.State
		Files      int64
		Dispatched int64
		Rest       int64
		MarkFiles  int64
		MarkedAt   *time.Time
		Unfinished int
	}
	err := s.db.WithContext(ctx).Raw(`SELECT t.id, t.via, t.state, t.files, t.dispatched, t.bytes - t.dispatched_bytes AS rest,
			t.mark_files, t.marked_at,
			(SELECT COUNT(*) FROM batches b WHERE b.transfer_id = t.id) AS unfinished
		FROM transfers t WHERE t.state IN ? AND t.paused_at IS NULL AND t.dispatched < t.files AND t.id > ? ORDER BY t.id LIMIT ?`,
		active(), after, limit).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list backlogs: %w", err)
	}
	bs := make([]batcher.Backlog, len(found))
	for i, r := range found {
		bs[i] = batcher.Backlog{
			Transfer: r.ID, Via: r.Via, Sealed: r.State == tasks.Running, Files: r.Files, Cursor: r.Dispatched, Bytes: r.Rest,
			Open: r.Unfinished, MarkFiles: r.MarkFiles, MarkedAt: value(r.MarkedAt),
		}
	}
	return bs, nil
}

// active lists the states in which a transfer's files are worked on.
func active() []tasks.State { return []tasks.State{tasks.Open, tasks.Running, tasks.Interrupted} }

// unended lists the states in which something may still happen.
func unended() []tasks.State { return append(active(), tasks.Closing) }

// Cut commits c. When the cursor is not at From, because another dispatcher
// moved it, it writes nothing and gives batcher.ErrMoved. When the last files ended
// here, the transfer completes and completed is true.
func (s *Store) Cut(ctx context.Context, c batcher.Cut) (completed bool, err error) {
	err = s.write(ctx, "cut batches", func(tx *gorm.DB, now time.Time) error {
		if err := insertBatches(tx, c.Batches, now); err != nil {
			return err
		}
		if !c.Uncounted {
			if err := addRouted(tx, c.Transfer, routedBy(c.Batches)); err != nil {
				return err
			}
		}
		u := tx.Exec(`UPDATE transfers SET dispatched = ?, dispatched_bytes = dispatched_bytes + ?, finished = finished + ?
			WHERE id = ? AND dispatched = ? AND state IN ?`, c.To, c.Bytes, c.Finished, c.Transfer, c.From, active())
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return batcher.ErrMoved
		}
		completed = false
		if c.Finished > 0 {
			completed, err = completeIfDone(tx, c.Transfer, now)
		}
		return err
	})
	return completed, err
}

// Mark notes how many files a group transfer has now, so that the sweep can
// tell later which have had time to be collected.
func (s *Store) Mark(ctx context.Context, transfer, files int64) error {
	return s.write(ctx, "mark transfer", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE transfers SET mark_files = ?, marked_at = ? WHERE id = ?", files, now, transfer).Error
	})
}

// AddBatches writes batches that nothing else is committed with; their IDs are
// filled in.
func (s *Store) AddBatches(ctx context.Context, batches []tasks.Batch) error {
	return s.write(ctx, "write batches", func(tx *gorm.DB, now time.Time) error {
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
	if err := tx.CreateInBatches(rows, chunk(tx)).Error; err != nil {
		return fmt.Errorf("write batches: %w", err)
	}
	if err := numberBatches(tx, rows, chunk(tx)); err != nil {
		return err
	}
	for i := range batches {
		batches[i].ID = rows[i].ID
	}
	return nil
}

// routedBy counts the files of first attempts by step.
func routedBy(batches []tasks.Batch) map[int]int64 {
	m := make(map[int]int64)
	for i := range batches {
		if batches[i].Attempt == 1 {
			m[batches[i].Step] += int64(batches[i].Items())
		}
	}
	return m
}

// Due lists batches that the dispatcher should look after now: later attempts
// whose time has come, and batches that have been out for long.
func (s *Store) Due(ctx context.Context, limit int) ([]tasks.Batch, error) {
	var rows []batchRow
	err := s.db.WithContext(ctx).Where("due_at <= ?", s.stamp()).
		Where("NOT EXISTS (SELECT 1 FROM transfers t WHERE t.id = batches.transfer_id AND t.paused_at IS NOT NULL)").
		Order("due_at").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list due batches: %w", err)
	}
	return toBatches(rows)
}

// OpenBatches lists every batch of a transfer in the ledger, bounded by its window.
func (s *Store) OpenBatches(ctx context.Context, transfer int64) ([]tasks.Batch, error) {
	var rows []batchRow
	if err := s.db.WithContext(ctx).Where("transfer_id = ?", transfer).Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list open batches: %w", err)
	}
	return toBatches(rows)
}

func toBatches(rows []batchRow) ([]tasks.Batch, error) {
	bs := make([]tasks.Batch, len(rows))
	for i := range rows {
		b, err := rows[i].batch()
		if err != nil {
			return nil, fmt.Errorf("read batch %d: %w", rows[i].ID, err)
		}
		bs[i] = b
	}
	return bs, nil
}

// Defer sets when the dispatcher looks at batches again. With sent, they are
// about to be sent once more: a delivery that is still under way loses its hold.
func (s *Store) Defer(ctx context.Context, ids []int64, by time.Duration, sent bool) error {
	if len(ids) == 0 {
		return nil
	}
	more := 0
	if sent {
		more = 1
	}
	return s.write(ctx, "defer batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET due_at = ?, delivery = delivery + ? WHERE id IN ?", now.Add(by), more, ids).Error
	})
}

// TakeBack takes batches from a worker that died with them, which makes them
// suspect, and says when the dispatcher looks at them again.
func (s *Store) TakeBack(ctx context.Context, ids []int64, by time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	return s.write(ctx, "take back batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET due_at = ?, delivery = delivery + 1, lost = CASE WHEN lost = 0 THEN 1 ELSE lost END WHERE id IN ?",
			now.Add(by), ids).Error
	})
}

// HurryAll makes every batch due now. It is for a process that knows that the
// queue is empty, as when the queue lives in its own memory and it just started.
func (s *Store) HurryAll(ctx context.Context) error {
	return s.write(ctx, "hurry batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET due_at = ? WHERE due_at > ?", now, now).Error
	})
}

// HandBack gives up a batch that was not finished, so that whatever the giver
// still does with it is refused, and makes it due at once.
func (s *Store) HandBack(ctx context.Context, b *tasks.Batch) error {
	return s.write(ctx, "hand back batch", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET delivery = delivery + 1, lost = ?, due_at = ? WHERE id = ? AND delivery = ?",
			b.Lost, now, b.ID, b.Delivery).Error
	})
}

// Split replaces a batch by smaller ones, which keep its attempt; their IDs are
// filled in. When the batch is no longer the caller's it gives ErrStale.
func (s *Store) Split(ctx context.Context, b *tasks.Batch, parts []tasks.Batch) error {
	return s.write(ctx, "split batch", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("DELETE FROM batches WHERE id = ? AND delivery = ?", b.ID, b.Delivery)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return ErrStale
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
		q := tx.Model(&resultRow{}).Where("transfer_id = ? AND step_no = ? AND batch_id = ?", b.Transfer, b.Step, b.ID)
		if err := within(q, "file_no", parts[i].Files).Update("batch_id", parts[i].ID).Error; err != nil {
			return fmt.Errorf("hand results to a part: %w", err)
		}
	}
	return nil
}
