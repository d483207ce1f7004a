package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// DeadLetter is a queue message that was not used, or a row that has no transfer, kept
// with its first bytes.
type DeadLetter struct {
	ID         int64
	ReceivedAt time.Time
	Type       string
	Payload    []byte
	Reason     string
}

// TableName names the table to GORM.
func (DeadLetter) TableName() string { return "dead_letters" }

// maxDeadLetterPayload is how many bytes of a dead letter are kept.
const maxDeadLetterPayload = tasks.MaxPayload

// AddDeadLetter keeps the beginning of a message that is not used, and why.
func (s *Store) AddDeadLetter(ctx context.Context, kind string, payload []byte, reason string) error {
	return s.db.Write(ctx, "add dead letter", func(tx *gorm.DB, now time.Time) error {
		return addDeadLetter(tx, kind, payload, reason, now)
	})
}

func addDeadLetter(tx *gorm.DB, kind string, payload []byte, reason string, now time.Time) error {
	kept := append([]byte{}, payload[:min(len(payload), maxDeadLetterPayload)]...) // no payload is an empty one, not NULL
	return tx.Create(&DeadLetter{
		ReceivedAt: now, Type: db.ClipText(kind, 255), Payload: kept, Reason: db.ClipText(reason, 8192),
	}).Error
}

// DeadLetters lists the dead letters, newest first.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	var rows []DeadLetter
	if err := s.db.Session(ctx).Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return rows, nil
}
