package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/db"
)

type userRow struct {
	Name         string `gorm:"primaryKey"`
	Role         accounts.Role
	PasswordHash string
	CreatedAt    time.Time
	LoginAt      *time.Time
}

// TableName names the table to GORM.
func (userRow) TableName() string { return "users" }

func (r *userRow) user() accounts.User {
	return accounts.User{
		Name: r.Name, Role: r.Role, PasswordHash: r.PasswordHash, CreatedAt: r.CreatedAt, LoginAt: timeOf(r.LoginAt),
	}
}

// timeOf is the time in a column that may be NULL.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// nullTime is NULL for the zero time.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t
}

// AddUser adds a user; accounts.ErrTaken when the name is taken.
func (s *Store) AddUser(ctx context.Context, u accounts.User) error {
	err := s.db.Write(ctx, "add user", func(tx *gorm.DB, now time.Time) error {
		return tx.Create(&userRow{Name: u.Name, Role: u.Role, PasswordHash: u.PasswordHash, CreatedAt: now}).Error
	})
	if db.IsDuplicate(err) {
		return fmt.Errorf("add user %s: %w", u.Name, accounts.ErrTaken)
	}
	return err
}

// User reads a user, or returns accounts.ErrNoUser.
func (s *Store) User(ctx context.Context, name string) (accounts.User, error) {
	row, err := takeRow[userRow](s.db.Session(ctx).Where("name = ?", name), "user", fmt.Errorf("%w: %s", accounts.ErrNoUser, name))
	if err != nil {
		return accounts.User{}, err
	}
	return row.user(), nil
}

// Users lists all users by name.
func (s *Store) Users(ctx context.Context) ([]accounts.User, error) {
	var rows []userRow
	if err := s.db.Session(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return fromRows(rows, (*userRow).user), nil
}

// RemoveUser removes a user and ends their sessions.
func (s *Store) RemoveUser(ctx context.Context, name string) error {
	return s.changeUser(ctx, "remove user", name, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("name = ?", name).Delete(&userRow{})
	}, true)
}

// SetPassword changes the hash of a user's password, and ends their sessions.
func (s *Store) SetPassword(ctx context.Context, name, hash string) error {
	return s.changeUser(ctx, "set password", name, func(tx *gorm.DB) *gorm.DB {
		return tx.Model(&userRow{}).Where("name = ?", name).Update("password_hash", hash)
	}, true)
}

// SetRole changes the role of a user, in their sessions too.
func (s *Store) SetRole(ctx context.Context, name string, role accounts.Role) error {
	return s.changeUser(ctx, "set role", name, func(tx *gorm.DB) *gorm.DB {
		return tx.Model(&userRow{}).Where("name = ?", name).Update("role", role)
	}, false)
}

// changeUser changes one user, or returns accounts.ErrNoUser.
func (s *Store) changeUser(ctx context.Context, what, name string, change func(*gorm.DB) *gorm.DB, endSessions bool) error {
	return s.db.Write(ctx, what, func(tx *gorm.DB, _ time.Time) error {
		var n int64
		if err := tx.Model(&userRow{}).Where("name = ?", name).Count(&n).Error; err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: %s", accounts.ErrNoUser, name)
		}
		if err := change(tx).Error; err != nil || !endSessions {
			return err
		}
		return tx.Where("user_name = ? AND is_external = ?", name, false).Delete(&sessionRow{}).Error
	})
}
