package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// ResumeEmitted sets a canceled transfer to running when it has emitted files that were not
// registered before it was canceled, and returns their number: they have no results by which
// a retry would find them.
func (s *Store) ResumeEmitted(ctx context.Context, transfer int64) (files int64, err error) {
	err = s.db.Write(ctx, "resume emitted files", func(tx *gorm.DB, now time.Time) error {
		files = 0
		t, err := lockTransfer(tx, transfer, s.db.Dialect())
		if err != nil || t.State != tasks.StateCanceled || t.Emitted == t.EmittedRegistered {
			return err
		}
		files = t.Emitted - t.EmittedRegistered
		return reviveTransfer(tx, t, 0, now)
	})
	return files, err
}
