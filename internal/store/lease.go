package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
)

type leaseRow struct {
	Name   string `gorm:"primaryKey"`
	Holder string
	Until  time.Time
}

// TableName names the table to GORM.
func (leaseRow) TableName() string { return "leases" }

// AcquireLease takes or renews a named lease for a holder and reports whether it has
// it. A lease only avoids duplicate work. Clocks differ and processes freeze, so work
// under it must also be safe when two do it.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error) {
	holder = db.ClipText(holder, 128)
	err = s.db.Write(ctx, "acquire lease", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE leases SET holder = ?, until = ? WHERE name = ? AND (holder = ? OR until < ?)",
			holder, now.Add(ttl), name, holder, now)
		if u.Error != nil || u.RowsAffected == 1 {
			return u.Error
		}
		// The row is missing or the lease is held: the primary key decides.
		return tx.Create(&leaseRow{Name: name, Holder: holder, Until: now.Add(ttl)}).Error
	})
	if db.IsDuplicate(err) {
		return false, nil
	}
	return err == nil, err
}

// ReleaseLease gives a lease up before its time, if the holder has it.
func (s *Store) ReleaseLease(ctx context.Context, name, holder string) error {
	holder = db.ClipText(holder, 128)
	return s.db.Write(ctx, "release lease", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("DELETE FROM leases WHERE name = ? AND holder = ?", name, holder).Error
	})
}
