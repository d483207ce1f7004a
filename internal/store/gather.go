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

// Gatherings lists what waits to be gathered and may run now, of transfers that are not
// paused, what has waited longest first.
func (s *Store) Gatherings(ctx context.Context, limit int) ([]ledger.Gathering, error) {
	var found []gatheringRow
	now := s.db.Stamp()
	err := scanEach(s.db.Session(ctx).Raw(gatheringsQuery, now, now, limit), &found, func(raw rawRow, err error) gatheringRow {
		return gatheringRow{TransferID: raw.number("transfer_id"), misread: err}
	})
	if err != nil {
		return nil, fmt.Errorf("list gathering batches: %w", err)
	}
	gs := make([]ledger.Gathering, 0, len(found))
	for i := range found {
		r := &found[i]
		if r.misread != nil {
			if err := s.Suspend(ctx, r.TransferID, "its gathering batches: "+r.misread.Error()); err != nil {
				return nil, err
			}
			continue
		}
		complete := r.State != tasks.StateOpen && r.State != tasks.StateInterrupted && !r.MayGrow
		if r.Via == tasks.ViaGroup {
			// The queue may have files that have no batch yet. Of this step they do not
			// matter to a first attempt: they come by themselves.
			complete = complete && r.Earlier == 0 && (r.Attempt == 1 || r.Here == int64(r.Items))
		} else {
			complete = complete && r.Dispatched == r.Files
		}
		gs = append(gs, ledger.Gathering{
			Transfer: r.TransferID, Step: r.StepNo, Attempt: r.Attempt, State: r.State,
			Batches: r.Batches, Items: r.Items, Bytes: r.Bytes, Sent: r.Sent, Since: r.Since.UTC(), Complete: complete,
		})
	}
	return gs, nil
}

type gatheringRow struct {
	TransferID int64
	StepNo     int
	Attempt    int
	Batches    int
	Items      int
	Bytes      int64
	Since      time.Time
	State      tasks.State
	Via        tasks.Via
	Files      int64
	Dispatched int64
	MayGrow    bool // a batch of the ledger may add to it
	Sent       int
	Earlier    int64 // files of earlier steps without a result
	Here       int64 // files of this step without a result

	misread error // what keeps it from being read; see scanEach
}

// gatheringsQuery reads the gathering batches, which are few, and the unfinished batches
// and steps of their transfers; it reads no files and no results.
const gatheringsQuery = `SELECT g.*, f.due_at AS since, t.state, t.via, t.files, t.dispatched,
	EXISTS (SELECT 1 FROM batches o WHERE o.transfer_id = g.transfer_id AND (o.step_no < g.step_no OR o.step_no = g.step_no
		AND (o.attempt < g.attempt OR o.attempt = g.attempt AND o.gathering = 1 AND o.due_at > ?))) AS may_grow,
	(SELECT COUNT(*) FROM batches o WHERE o.transfer_id = g.transfer_id AND o.step_no = g.step_no AND o.gathering = 0) AS sent,
	(SELECT COALESCE(SUM(` + unrecorded + `), 0) FROM steps s WHERE s.transfer_id = g.transfer_id AND s.no < g.step_no) AS earlier,
	(SELECT COALESCE(SUM(` + unrecorded + `), 0) FROM steps s WHERE s.transfer_id = g.transfer_id AND s.no = g.step_no) AS here
FROM (SELECT transfer_id, step_no, attempt, COUNT(*) AS batches, SUM(items) AS items, SUM(bytes) AS bytes, MIN(id) AS first_id
	FROM batches WHERE gathering = 1 AND due_at <= ? GROUP BY transfer_id, step_no, attempt) g
JOIN batches f ON f.id = g.first_id
JOIN transfers t ON t.id = g.transfer_id WHERE t.paused_at IS NULL ORDER BY f.due_at LIMIT ?`

// unrecorded is how many files of a step s have no result.
const unrecorded = "s.selected - s.succeeded - s.warning - s.skipped - s.failed - s.error - s.timed_out - s.canceled"

// GatheringBatches lists the batches of g that may run now, at most limit of them.
func (s *Store) GatheringBatches(ctx context.Context, g ledger.Gathering, limit int) ([]tasks.Batch, error) {
	var rows []batchRow
	q := s.db.Session(ctx).Where("transfer_id = ? AND gathering = ? AND step_no = ? AND attempt = ? AND due_at <= ?",
		g.Transfer, true, g.Step, g.Attempt, s.db.Stamp()).Order("id").Limit(limit)
	if err := findEach(q, &rows, unreadableBatch); err != nil {
		return nil, fmt.Errorf("read gathering batches: %w", err)
	}
	return s.readable(ctx, rows)
}

// CommitGathered replaces gathering batches. When one of them is gone, because another
// dispatcher gathered it, it writes nothing and gives ledger.ErrCursorMoved.
func (s *Store) CommitGathered(ctx context.Context, g ledger.Gathered) error {
	return s.db.Write(ctx, "gather batches", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("DELETE FROM batches WHERE id IN ? AND gathering = 1", g.Replaced)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected != int64(len(g.Replaced)) {
			return ledger.ErrCursorMoved
		}
		return insertBatches(tx, g.Batches, now)
	})
}

// Sizes reads only the numbers and sizes of files, ascending.
func (s *Store) Sizes(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error) {
	q := s.db.Session(ctx).Where("transfer_id = ?", transfer)
	return readSizes(db.WhereInRanges(q, "no", numbers), numbers.Len())
}
