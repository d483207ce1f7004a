package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/db"
)

type apiTokenRow struct {
	Name      string `gorm:"primaryKey"`
	Role      accounts.Role
	Hash      []byte
	CreatedAt time.Time
	ExpiresAt *time.Time
	UsedAt    *time.Time
}

// TableName names the table to GORM.
func (apiTokenRow) TableName() string { return "api_tokens" }

func (r *apiTokenRow) token() accounts.Token {
	return accounts.Token{
		Name: r.Name, Role: r.Role, Hash: r.Hash, CreatedAt: r.CreatedAt, ExpiresAt: timeOf(r.ExpiresAt), UsedAt: timeOf(r.UsedAt),
	}
}

// AddToken adds an API token; accounts.ErrTaken when the name is taken.
func (s *Store) AddToken(ctx context.Context, t accounts.Token) error {
	err := s.db.Write(ctx, "add token", func(tx *gorm.DB, now time.Time) error {
		return tx.Create(&apiTokenRow{Name: t.Name, Role: t.Role, Hash: t.Hash, CreatedAt: now, ExpiresAt: nullTime(t.ExpiresAt)}).Error
	})
	if db.IsDuplicate(err) {
		return fmt.Errorf("add token %s: %w", t.Name, accounts.ErrTaken)
	}
	return err
}

// Token reads an API token by the hash of its secret, or returns accounts.ErrNoToken.
func (s *Store) Token(ctx context.Context, hash []byte) (accounts.Token, error) {
	row, err := takeRow[apiTokenRow](s.db.Session(ctx).Where("hash = ?", hash), "token", accounts.ErrNoToken)
	if err != nil {
		return accounts.Token{}, err
	}
	return row.token(), nil
}

// Tokens lists all API tokens by name.
func (s *Store) Tokens(ctx context.Context) ([]accounts.Token, error) {
	var rows []apiTokenRow
	if err := s.db.Session(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return fromRows(rows, (*apiTokenRow).token), nil
}

// RevokeToken deletes an API token, or returns accounts.ErrNoToken.
func (s *Store) RevokeToken(ctx context.Context, name string) error {
	return s.db.Write(ctx, "revoke token", func(tx *gorm.DB, _ time.Time) error {
		done := tx.Where("name = ?", name).Delete(&apiTokenRow{})
		if done.Error == nil && done.RowsAffected == 0 {
			return fmt.Errorf("%w: %s", accounts.ErrNoToken, name)
		}
		return done.Error
	})
}

// NoteTokenUse notes that a token is in use.
func (s *Store) NoteTokenUse(ctx context.Context, hash []byte) error {
	return s.db.Write(ctx, "note the use of a token", func(tx *gorm.DB, now time.Time) error {
		return tx.Model(&apiTokenRow{}).Where("hash = ?", hash).Update("used_at", now).Error
	})
}

// AnyAccounts reports whether there is a user or a token that may be used.
func (s *Store) AnyAccounts(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.Session(ctx).Model(&userRow{}).Limit(1).Count(&n).Error
	if err == nil && n == 0 {
		err = s.db.Session(ctx).Model(&apiTokenRow{}).Where("expires_at IS NULL OR expires_at > ?", s.db.Stamp()).Count(&n).Error
	}
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return n > 0, nil
}
