package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// tombstone is what remains of a deleted transfer, so that its id differs from one that
// was never assigned. Until purged_at is set, rows of other tables remain too.
type tombstone struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	UUID       string
	Name       string
	RunKey     string
	Forget     bool // a later run registers the transfer's files again
	DeletedAt  time.Time
	PurgedAt   *time.Time
}

// TableName names the table to GORM.
func (tombstone) TableName() string { return "tombstones" }

// Errors of DeleteTransfer.
var (
	// ErrNotEnded: the transfer has not ended.
	ErrNotEnded = errors.New("the transfer has not ended")

	// ErrStillRunning: workers have not yet given up all batches of a canceled transfer.
	ErrStillRunning = errors.New("batches of the transfer are not ended yet")
)

// Deletion says how a transfer is deleted.
type Deletion struct {
	// Forget makes later runs of the same paths register the transfer's files again.
	// Else they are skipped as long as they do not change. The files of a canceled
	// transfer are always forgotten.
	Forget bool

	// Force deletes a canceled transfer with open batches. Workers' recordings of these
	// batches are refused.
	Force bool
}

// DeleteTransfer deletes a transfer that has ended. From then on it is not listed, and
// Transfer gives a tasks.DeletedError. Its rows in other tables are deleted by
// PurgeDeleted, in many small steps. A transfer that is not there gives
// tasks.ErrTransferNotFound; the other errors are ErrNotEnded and ErrStillRunning.
func (s *Store) DeleteTransfer(ctx context.Context, id int64, d Deletion) error {
	return s.db.Write(ctx, "delete transfer", func(tx *gorm.DB, now time.Time) error {
		t, err := lockTransfer(tx, id, s.db.Dialect())
		if err != nil {
			return err
		}
		if !t.State.Ended() {
			return fmt.Errorf("%w: it is %s", ErrNotEnded, t.State)
		}
		var open int64
		if err := tx.Model(&batchRow{}).Where("transfer_id = ?", id).Count(&open).Error; err != nil {
			return err
		}
		if open > 0 && !d.Force {
			return fmt.Errorf("%w: %d", ErrStillRunning, open)
		}
		if err := tx.Create(&tombstone{
			TransferID: id, UUID: t.UUID, Name: t.Name, RunKey: t.RunKey,
			Forget: d.Forget || t.State == tasks.StateCanceled, DeletedAt: now,
		}).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM transfers WHERE id = ?", id).Error
	})
}

// NotFound is the error for a reference that no transfer fits: a tasks.DeletedError when
// it is the id or the number of a deleted one, else tasks.ErrTransferNotFound.
func (s *Store) NotFound(ctx context.Context, ref string) error {
	q := s.db.Session(db.ReadCommitted(ctx)).Where("uuid = ?", ref) // a deletion may be rolled back
	if n, err := strconv.ParseInt(ref, 10, 64); err == nil {
		q = q.Or("transfer_id = ?", n)
	}
	gone, err := takeRow[tombstone](q, "tombstone", fmt.Errorf("%w: %s", tasks.ErrTransferNotFound, ref))
	if err != nil {
		return err
	}
	return &tasks.DeletedError{UUID: gone.UUID, Name: gone.Name, At: gone.DeletedAt.UTC()}
}
