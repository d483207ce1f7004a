package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/db"
)

type sessionRow struct {
	Hash       []byte `gorm:"primaryKey"`
	UserName   string
	IsExternal bool
	Role       accounts.Role
	CreatedAt  time.Time
	SeenAt     time.Time
	ExpiresAt  time.Time
}

// TableName names the table to GORM.
func (sessionRow) TableName() string { return "sessions" }

// AddSession begins a session of somebody who has logged in elsewhere, and deletes
// sessions that have expired.
func (s *Store) AddSession(ctx context.Context, a accounts.Session) error {
	return s.db.Write(ctx, "begin session", func(tx *gorm.DB, now time.Time) error {
		return addSession(tx, &a, now)
	})
}

// BeginLogin begins a session of a user whose password had a hash, and replaces the hash
// unless newHash is empty. When the user was removed or the password was changed
// meanwhile, it returns accounts.ErrDenied.
func (s *Store) BeginLogin(ctx context.Context, a accounts.Session, hash, newHash string) error {
	return s.db.Write(ctx, "begin session", func(tx *gorm.DB, now time.Time) error {
		changes := map[string]any{"login_at": now, "password_hash": cmp.Or(newHash, hash)}
		noted := tx.Model(&userRow{}).Where("name = ? AND password_hash = ?", a.User, hash).Updates(changes)
		if noted.Error == nil && noted.RowsAffected == 0 {
			return accounts.ErrDenied
		}
		if noted.Error != nil {
			return noted.Error
		}
		return addSession(tx, &a, now)
	})
}

func addSession(tx *gorm.DB, a *accounts.Session, now time.Time) error {
	if err := tx.Where("expires_at < ?", now).Delete(&sessionRow{}).Error; err != nil {
		return err
	}
	return tx.Create(&sessionRow{
		Hash: a.Hash, UserName: db.ClipText(a.User, 255), IsExternal: a.External, Role: a.Role,
		CreatedAt: now, SeenAt: now, ExpiresAt: a.ExpiresAt.UTC().Truncate(time.Microsecond),
	}).Error
}

// Session reads a session by the hash of its secret, or returns accounts.ErrNoSession. Its
// role is that of the user now.
func (s *Store) Session(ctx context.Context, hash []byte) (a accounts.Session, err error) {
	var row struct {
		Of      sessionRow     `gorm:"embedded"`
		Present *accounts.Role // NULL: there is no such user
	}
	err = s.db.Session(ctx).Model(&sessionRow{}).Select("sessions.*, users.role AS present").
		Joins("LEFT JOIN users ON users.name = sessions.user_name").Where("sessions.hash = ?", hash).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !row.Of.IsExternal && row.Present == nil {
		return a, accounts.ErrNoSession
	}
	if err != nil {
		return a, fmt.Errorf("read session: %w", err)
	}
	a = accounts.Session{
		Hash: row.Of.Hash, User: row.Of.UserName, External: row.Of.IsExternal, Role: row.Of.Role,
		CreatedAt: row.Of.CreatedAt, SeenAt: row.Of.SeenAt, ExpiresAt: row.Of.ExpiresAt,
	}
	if !row.Of.IsExternal {
		a.Role = *row.Present
	}
	return a, nil
}

// NoteSessionUse notes that a session is in use.
func (s *Store) NoteSessionUse(ctx context.Context, hash []byte) error {
	return s.db.Write(ctx, "note the use of a session", func(tx *gorm.DB, now time.Time) error {
		return tx.Model(&sessionRow{}).Where("hash = ?", hash).Update("seen_at", now).Error
	})
}

// EndSession ends a session. Ending twice is fine.
func (s *Store) EndSession(ctx context.Context, hash []byte) error {
	return s.db.Write(ctx, "end session", func(tx *gorm.DB, _ time.Time) error {
		return tx.Where("hash = ?", hash).Delete(&sessionRow{}).Error
	})
}
