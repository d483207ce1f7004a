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

// sendGrace is how long whoever commits a batch has to enqueue it before the
// dispatcher looks whether the queue knows it.
const sendGrace = 15 * time.Second

// Backlogs lists unfinished transfers with files behind their cursor, oldest
// first, from the one behind after on.
func (s *Store) Backlogs(ctx context.Context, after int64, limit int) ([]ledger.Backlog, error) {
	var found []struct {
		ID         int64
		Via        tasks.Via
		State      tasks.State
		Files      int64
		Dispatched int64
		Rest       int64
		SweepMark  int64
		MarkedAt   *time.Time
		Unfinished int
	}
	err := s.db.Session(ctx).Raw(`SELECT t.id, t.via, t.state, t.files, t.dispatched, t.bytes - t.dispatched_bytes AS rest,
			t.sweep_mark, t.marked_at,
			(SELECT COUNT(*) FROM batches b WHERE b.transfer_id = t.id) AS unfinished
		FROM transfers t WHERE t.state IN ? AND t.paused_at IS NULL AND t.dispatched < t.files AND t.id > ? ORDER BY t.id LIMIT ?`,
		activeStates(), after, limit).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("list backlogs: %w", err)
	}
	bs := make([]ledger.Backlog, len(found))
	for i, r := range found {
		bs[i] = ledger.Backlog{
			Transfer: r.ID, Via: r.Via, Sealed: r.State == tasks.StateRunning, Files: r.Files, Cursor: r.Dispatched, Bytes: r.Rest,
			Open: r.Unfinished, SweepMark: r.SweepMark, MarkedAt: value(r.MarkedAt),
		}
	}
	return bs, nil
}

// activeStates lists the states in which a transfer's files are worked on.
func activeStates() []tasks.State {
	return []tasks.State{tasks.StateOpen, tasks.StateRunning, tasks.StateInterrupted}
}

// unfinishedStates lists the states in which something may still happen.
func unfinishedStates() []tasks.State { return append(activeStates(), tasks.StateFinalizing) }

// CommitDispatch commits c. When the cursor is not at From, because another dispatcher
// moved it, it writes nothing and gives batcher.ErrCursorMoved. When the last files ended
// here, the transfer completes and completed is true.
func (s *Store) CommitDispatch(ctx context.Context, c ledger.Dispatch) (completed bool, err error) {
	err = s.db.Write(ctx, "cut batches", func(tx *gorm.DB, now time.Time) error {
		if err := insertBatches(tx, c.Batches, now); err != nil {
			return err
		}
		if !c.Uncounted {
			if err := addSelected(tx, c.Transfer, selectedBySteps(c.Batches)); err != nil {
				return err
			}
		}
		u := tx.Exec(`UPDATE transfers SET dispatched = ?, dispatched_bytes = dispatched_bytes + ?, finished = finished + ?
			WHERE id = ? AND dispatched = ? AND state IN ?`, c.To, c.Bytes, c.Finished, c.Transfer, c.From, activeStates())
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return ledger.ErrCursorMoved
		}
		completed = false
		if c.Finished > 0 {
			completed, err = completeIfDone(tx, c.Transfer, now)
		}
		return err
	})
	return completed, err
}

// SetSweepMark notes how many files a group transfer has now, so that the sweep can
// tell later which have had time to be collected.
func (s *Store) SetSweepMark(ctx context.Context, transfer, files int64) error {
	return s.db.Write(ctx, "mark transfer", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE transfers SET sweep_mark = ?, marked_at = ? WHERE id = ?", files, now, transfer).Error
	})
}

// AddBatches writes batches that nothing else is committed with; their IDs are
// filled in.
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
// whose time has come, and batches that have been out for long.
func (s *Store) DueBatches(ctx context.Context, limit int) ([]tasks.Batch, error) {
	var rows []batchRow
	err := s.db.Session(ctx).Where("due_at <= ?", s.db.Stamp()).
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
	if err := s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("id").Find(&rows).Error; err != nil {
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

// Reschedule sets when the dispatcher looks at batches again. With sent, they are
// about to be sent once more: a delivery that is still under way loses its hold.
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
		return tx.Exec("UPDATE batches SET due_at = ?, fencing_token = fencing_token + 1, crashes = CASE WHEN crashes = 0 THEN 1 ELSE crashes END WHERE id IN ?",
			now.Add(by), ids).Error
	})
}

// MakeAllDue makes every batch due now. It is for a process that knows that the
// queue is empty, as when the queue lives in its own memory and it just started.
func (s *Store) MakeAllDue(ctx context.Context) error {
	return s.db.Write(ctx, "hurry batches", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET due_at = ? WHERE due_at > ?", now, now).Error
	})
}

// ReleaseBatch gives up a batch that was not finished, so that whatever the giver
// still does with it is refused, and makes it due at once.
func (s *Store) ReleaseBatch(ctx context.Context, b *tasks.Batch) error {
	return s.db.Write(ctx, "hand back batch", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE batches SET fencing_token = fencing_token + 1, crashes = ?, due_at = ? WHERE id = ? AND fencing_token = ?",
			b.Crashes, now, b.ID, b.FencingToken).Error
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
			return fmt.Errorf("hand results to a part: %w", err)
		}
	}
	return nil
}
