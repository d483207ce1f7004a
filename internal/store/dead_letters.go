package store

import (
	"context"
	"errors"
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

// Truncated reports whether only the beginning of the message was kept.
func (d *DeadLetter) Truncated() bool { return len(d.Payload) >= maxDeadLetterPayload }

// ErrDeadLetterNotFound means that there is no dead letter of this number.
var ErrDeadLetterNotFound = errors.New("no such dead letter")

// DeadLetters lists dead letters, newest first, those numbered below before; before 0
// starts at the newest.
func (s *Store) DeadLetters(ctx context.Context, before int64, limit int) ([]DeadLetter, error) {
	q := s.db.Session(ctx).Order("id DESC").Limit(limit)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	var rows []DeadLetter
	err := findEach(q, &rows, func(raw rawRow, err error) DeadLetter {
		return DeadLetter{ID: raw.number("id"), Reason: "its row in the database cannot be read: " + err.Error()}
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return rows, nil
}

// DeadLetter reads a dead letter.
func (s *Store) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	return takeRow[DeadLetter](s.db.Session(ctx).Where("id = ?", id), fmt.Sprintf("dead letter %d", id),
		fmt.Errorf("%w: %d", ErrDeadLetterNotFound, id))
}

// DiscardDeadLetter deletes a dead letter.
func (s *Store) DiscardDeadLetter(ctx context.Context, id int64) error {
	return s.db.Write(ctx, "discard dead letter", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("DELETE FROM dead_letters WHERE id = ?", id)
		if u.Error == nil && u.RowsAffected == 0 {
			return fmt.Errorf("%w: %d", ErrDeadLetterNotFound, id)
		}
		return u.Error
	})
}
