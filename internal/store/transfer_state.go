package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Cancel stops a transfer: no more of its files are dispatched, its open
// batches end as canceled when a worker takes them up, and final steps that
// have not ended are canceled. It reports false when
// the transfer had ended already.
func (s *Store) Cancel(ctx context.Context, id int64) (canceled bool, err error) {
	err = s.db.Write(ctx, "cancel transfer", func(tx *gorm.DB, now time.Time) (err error) {
		canceled, err = cancelTransfer(tx, id, now)
		return err
	})
	return canceled, err
}

func cancelTransfer(tx *gorm.DB, id int64, now time.Time) (canceled bool, err error) {
	u := tx.Exec("UPDATE transfers SET state = ?, ended_at = ?, paused_at = NULL, trouble = '', stopped = '' WHERE id = ? AND state IN ?",
		tasks.StateCanceled, now, id, unfinishedStates())
	canceled = u.RowsAffected == 1
	if u.Error != nil || !canceled {
		return canceled, u.Error
	}
	if err := deleteUncounted(tx, id); err != nil {
		return canceled, err
	}
	if err := makeDue(tx, id, now); err != nil {
		return canceled, err
	}
	row, err := readRow(tx, id)
	if err != nil {
		return canceled, err
	}
	if err := stopFinalizing(tx, row, tasks.FinalizeCanceled); err != nil {
		return canceled, err
	}
	return canceled, noteWebhooks(tx, row, now)
}

// Pause keeps more batches of a transfer from starting; running batches end. It reports
// false when the transfer has ended or is paused already.
func (s *Store) Pause(ctx context.Context, id int64) (paused bool, err error) {
	err = s.db.Write(ctx, "pause transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET paused_at = ? WHERE id = ? AND paused_at IS NULL AND state IN ?", now, id, unfinishedStates())
		paused = u.RowsAffected == 1
		return u.Error
	})
	return paused, err
}

// Resume resumes a paused transfer. One that failures have stopped counts them anew. It reports false when it was not paused.
func (s *Store) Resume(ctx context.Context, id int64) (resumed bool, err error) {
	err = s.db.Write(ctx, "resume transfer", func(tx *gorm.DB, now time.Time) error {
		if err := seeFailures(tx, id); err != nil {
			return err
		}
		u := tx.Exec(
			"UPDATE transfers SET last_paused_at = paused_at, resumed_at = ?, paused_at = NULL, trouble = '', stopped = '', "+
				"moved_at = ?, stalled = ? WHERE id = ? AND paused_at IS NOT NULL",
			now, now, false, id)
		resumed = u.RowsAffected == 1
		if u.Error != nil || !resumed {
			return u.Error
		}
		return makeDue(tx, id, now) // workers have acknowledged what came meanwhile
	})
	return resumed, err
}

const producerTTL = ledger.ProducerTTL

// MarkInterrupted marks open transfers whose producer has died, and reports how many.
// Workers still process the files that they have. A producer that was only slow opens
// them again with its next heartbeat.
func (s *Store) MarkInterrupted(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, "mark interrupted transfers", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ? WHERE state = ? AND seen_at < ? AND intake <> ?",
			tasks.StateInterrupted, tasks.StateOpen, now.Add(-producerTTL), ledger.IntakeRequests)
		n = u.RowsAffected
		return u.Error
	})
	return n, err
}

// TakeOver gives an open transfer a new producer. It reports false when the
// transfer takes no more files, or its producer is alive.
func (s *Store) TakeOver(ctx context.Context, id int64) (adopted bool, err error) {
	err = s.db.Write(ctx, "adopt transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, seen_at = ? WHERE id = ? AND (state = ? OR (state = ? AND seen_at < ?))",
			tasks.StateOpen, now, id, tasks.StateInterrupted, tasks.StateOpen, now.Add(-producerTTL))
		adopted = u.RowsAffected == 1
		return u.Error
	})
	return adopted, err
}

// ProducerSeen returns when the producer of a transfer last said that it is alive, and
// when TakeOver takes it for dead unless it says so again.
func (s *Store) ProducerSeen(ctx context.Context, id int64) (seen, deadAt time.Time, err error) {
	var row transferRow
	if err := s.db.Session(ctx).Select("seen_at").Where("id = ?", id).Take(&row).Error; err != nil {
		return seen, deadAt, fmt.Errorf("read when the producer was seen: %w", err)
	}
	seen = row.SeenAt.UTC()
	return seen, seen.Add(producerTTL + time.Millisecond), nil
}

// FilterCanceled tells which of the transfers are canceled.
func (s *Store) FilterCanceled(ctx context.Context, ids []int64) (canceled []int64, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.db.Session(ctx).Model(&transferRow{}).Where("id IN ? AND state = ?", ids, tasks.StateCanceled).Pluck("id", &canceled).Error
	if err != nil {
		return nil, fmt.Errorf("look for canceled transfers: %w", err)
	}
	return canceled, nil
}

// HeartbeatTransfer says that the producer of an open transfer is alive.
func (s *Store) HeartbeatTransfer(ctx context.Context, transfer int64) error {
	return s.db.Write(ctx, "refresh transfer", func(tx *gorm.DB, now time.Time) error {
		return tx.Exec("UPDATE transfers SET seen_at = ?, state = ? WHERE id = ? AND state IN ?",
			now, tasks.StateOpen, transfer, []tasks.State{tasks.StateOpen, tasks.StateInterrupted}).Error
	})
}
