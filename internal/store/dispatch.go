package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Backlogs lists unfinished transfers with files behind their cursor, or with emitted
// files to be registered, oldest
// first, with a number above after. A transfer with inconsistent counters is left out, and
// paused.
func (s *Store) Backlogs(ctx context.Context, after int64, limit int) ([]ledger.Backlog, error) {
	var found []backlogRow
	q := s.db.Session(ctx).Raw(`SELECT t.id, t.via, t.state, t.files, t.bytes, t.finished, t.dispatched, t.dispatched_bytes,
			t.sweep_mark, t.marked_at, t.queue, t.weight, t.emitted, t.emitted_registered,
			(SELECT COUNT(*) FROM batches b WHERE b.transfer_id = t.id AND b.gathering = 0 AND `+notGated+`) AS unfinished
		FROM transfers t WHERE t.state IN ? AND t.paused_at IS NULL AND t.id > ?
			AND (t.dispatched <> t.files OR t.finished < 0 OR t.finished > t.files
				OR t.emitted <> t.emitted_registered AND t.state = ?) ORDER BY t.id LIMIT ?`,
		activeStates(), after, tasks.StateRunning, limit)
	err := scanEach(q, &found, func(raw rawRow, err error) backlogRow { return backlogRow{ID: raw.number("id"), misread: err} })
	if err != nil {
		return nil, fmt.Errorf("list backlogs: %w", err)
	}
	bs := make([]ledger.Backlog, 0, len(found))
	for _, r := range found {
		p := r.Progress
		if err := cmp.Or(r.misread, p.check()); err != nil {
			if err := s.Suspend(ctx, r.ID, err.Error()); err != nil {
				return nil, err
			}
			continue
		}
		bs = append(bs, ledger.Backlog{
			Transfer: r.ID, Via: r.Via, Sealed: r.State == tasks.StateRunning, Files: p.Files, Cursor: p.Dispatched,
			Bytes: p.Bytes - p.DispatchedBytes, Open: r.Unfinished, SweepMark: r.SweepMark, MarkedAt: value(r.MarkedAt),
			Queue: r.Queue, Weight: r.Weight, Emitted: r.Emitted - r.EmittedRegistered,
		})
	}
	return bs, nil
}

type backlogRow struct {
	Progress   progress `gorm:"embedded"`
	ID         int64
	Via        tasks.Via
	State      tasks.State
	SweepMark  int64
	MarkedAt   *time.Time
	Unfinished int
	Queue      string
	Weight     int

	Emitted           int64
	EmittedRegistered int64

	misread error // what keeps it from being read; see scanEach
}

// progress is how far a transfer is, as its row says.
type progress struct {
	Files, Bytes, Finished, Dispatched, DispatchedBytes int64
}

// maxTotal is far above what any transfer adds up to, and so far below the largest
// integer that differences and sums cannot overflow.
const maxTotal = 1 << 60

// check returns an error when the numbers contradict each other.
func (p progress) check() error {
	if p.Files < 0 || p.Files > maxTotal || p.Dispatched < 0 || p.Dispatched > p.Files || p.Finished < 0 || p.Finished > p.Files {
		return fmt.Errorf("its row in transfers is invalid: files is %d, dispatched is %d, finished is %d",
			p.Files, p.Dispatched, p.Finished)
	}
	if p.Bytes < 0 || p.DispatchedBytes < 0 { // two such numbers cannot overflow when they are subtracted
		return fmt.Errorf("its row in transfers is invalid: bytes is %d, dispatched_bytes is %d", p.Bytes, p.DispatchedBytes)
	}
	return nil
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
