package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Aside is a queue message that could not be read, kept with its bytes.
type Aside struct {
	ID         int64
	ReceivedAt time.Time
	Type       string
	Payload    []byte
	Reason     string
}

// TableName names the table to GORM.
func (Aside) TableName() string { return "set_aside" }

// asidePayload bounds what is kept of a message that is not ours.
const asidePayload = 1 << 20

// SetAside keeps a message that could not be read, and why.
func (s *Store) SetAside(ctx context.Context, kind string, payload []byte, reason string) error {
	kept := append([]byte{}, payload[:min(len(payload), asidePayload)]...) // no payload is an empty one, not NULL
	return s.write(ctx, "set message aside", func(tx *gorm.DB, now time.Time) error {
		return tx.Create(&Aside{
			ReceivedAt: now, Type: clip(kind, 255), Payload: kept, Reason: clip(reason, 8192),
		}).Error
	})
}

// Asides lists messages that were set aside, newest first.
func (s *Store) Asides(ctx context.Context, limit int) ([]Aside, error) {
	var rows []Aside
	if err := s.db.WithContext(ctx).Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list messages set aside: %w", err)
	}
	return rows, nil
}
