package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// deadlineColumn is a deadline that is set now as its column holds it.
func deadlineColumn(d tasks.Deadline, now time.Time) (*time.Time, error) {
	at, err := d.From(now)
	if err != nil || at.IsZero() {
		return nil, err
	}
	at = at.UTC().Truncate(time.Microsecond)
	return &at, nil
}

// deadlinePage is how many transfers CancelOverdue ends in one call.
const deadlinePage = 100

// CancelOverdue cancels the transfers whose deadline has passed, paused ones too, and counts
// them. Their files end as handlers.CodeDeadlineExceeded.
func (s *Store) CancelOverdue(ctx context.Context) (n int, err error) {
	var ids []int64
	err = s.db.Session(ctx).Model(&transferRow{}).Where("state IN ? AND deadline_at <= ?", unfinishedStates(), s.db.Stamp()).
		Order("deadline_at").Limit(deadlinePage).Pluck("id", &ids).Error
	if err != nil {
		return 0, fmt.Errorf("look for deadlines: %w", err)
	}
	var failed []error // one that cannot be canceled keeps back no other
	for _, id := range ids {
		canceled, err := s.cancelOverdue(ctx, id)
		if err != nil {
			failed = append(failed, fmt.Errorf("cancel transfer %d at its deadline: %w", id, err))
		}
		if canceled {
			n++
		}
	}
	return n, errors.Join(failed...)
}

// errNotOverdue means that another process was faster, or a person has changed the deadline.
var errNotOverdue = errors.New("the deadline has not passed")

func (s *Store) cancelOverdue(ctx context.Context, id int64) (canceled bool, err error) {
	err = s.db.Write(ctx, "cancel transfer at its deadline", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET deadline_exceeded = ? WHERE id = ? AND state IN ? AND deadline_at <= ?",
			true, id, unfinishedStates(), now)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return errNotOverdue
		}
		if canceled, err = cancelTransfer(tx, id, now); err != nil {
			return err
		}
		var row transferRow
		if err := tx.Select("uuid", "deadline_at").Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		line := auditRow{
			At: now, Who: audit.Baler, Action: audit.DeadlineTransfer, Target: row.UUID, Transfer: row.UUID, Result: audit.Done,
			Detail: "its deadline has passed: " + value(row.DeadlineAt).UTC().Format(time.RFC3339),
		}
		if err := tx.Create(&line).Error; err != nil {
			return fmt.Errorf("write the audit log: %w", err)
		}
		return nil
	})
	if errors.Is(err, errNotOverdue) {
		return false, nil
	}
	return canceled, err
}

// CanceledAmong tells which of the transfers are canceled, and why.
func (s *Store) CanceledAmong(ctx context.Context, ids []int64) (canceled []ledger.CanceledTransfer, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.db.Session(ctx).Model(&transferRow{}).Where("id IN ? AND state = ?", ids, tasks.StateCanceled).
		Select("id", "deadline_exceeded").Find(&canceled).Error
	if err != nil {
		return nil, fmt.Errorf("look for canceled transfers: %w", err)
	}
	return canceled, nil
}
