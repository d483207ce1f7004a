package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// outputRow is something that final steps of its owner have written, so that they
// replace nothing else.
type outputRow struct {
	PathHash []byte `gorm:"primaryKey"`
	Owner    string `gorm:"primaryKey"`
	Digest   string `gorm:"primaryKey"`
	Path     []byte
}

// TableName names the table to GORM.
func (outputRow) TableName() string { return "outputs" }

func hashOutput(path string) []byte {
	h := sha256.Sum256([]byte(path))
	return h[:16]
}

// Wrote reports whether final steps of the owner have written content with the digest
// to the path.
func (s *Store) Wrote(ctx context.Context, owner, path, digest string) (bool, error) {
	var n int64
	err := s.db.Session(ctx).Model(&outputRow{}).
		Where("path_hash = ? AND owner = ? AND digest = ?", hashOutput(path), owner, digest).Count(&n).Error
	if err != nil {
		return false, fmt.Errorf("look up who wrote %s: %w", path, err)
	}
	return n > 0, nil
}

// NoteOutput notes that a final step of the owner writes content with the digest.
func (s *Store) NoteOutput(ctx context.Context, owner, path, digest string) error {
	return s.db.Write(ctx, "note an output", func(tx *gorm.DB, _ time.Time) error {
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&outputRow{
			PathHash: hashOutput(path), Owner: owner, Digest: digest, Path: []byte(path),
		}).Error
	})
}
