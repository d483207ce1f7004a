package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// WebhookDelivery is one message about a transfer that is to be delivered to a webhook, a
// chat or a mailbox. It is written in the transaction of what it tells, such as the one that
// ends the transfer, so it is there even if the process dies afterwards.
type WebhookDelivery struct {
	ID         int64
	Event      string // UUIDv7, the same at every delivery
	TransferID int64
	URL        string `gorm:"column:url"`
	Body       string // JSON
	Attempts   int
	DueAt      *time.Time // nil when it is done or given up
	CreatedAt  time.Time
	DoneAt     *time.Time
	Error      string // of the last attempt

	misread error // what keeps it from being read; see findEach
}

// TableName names the table to GORM.
func (WebhookDelivery) TableName() string { return "webhook_deliveries" }

// noteWebhooks writes the messages about a transfer's end.
func noteWebhooks(tx *gorm.DB, row transferRow, now time.Time) error {
	return noteEvent(tx, row, now, "transfer."+string(row.State), nil)
}

// NoteFixity writes the messages that files of a transfer are damaged or missing.
func (s *Store) NoteFixity(ctx context.Context, transfer int64, found ledger.Fixity) error {
	return s.db.Write(ctx, "note what a fixity run has found", func(tx *gorm.DB, now time.Time) error {
		row, err := readRow(tx, transfer)
		if err != nil {
			return err
		}
		return noteEvent(tx, row, now, tasks.EventFixity, &found)
	})
}

// noteEvent writes the messages about an event of a transfer, one for each of its webhooks.
func noteEvent(tx *gorm.DB, row transferRow, now time.Time, event string, found *ledger.Fixity) error {
	if row.Webhooks == "" || row.WebhookEvents != "" && !slices.Contains(strings.Split(row.WebhookEvents, ","), event) {
		return nil
	}
	of := []tasks.Transfer{row.transfer()}
	if err := withSteps(tx, of); err != nil {
		return err
	}
	t := &of[0]
	for url := range strings.SplitSeq(row.Webhooks, "\n") {
		note, err := newWebhookDelivery(t, url, now, event, found)
		if err != nil {
			return err
		}
		if err := tx.Create(&note).Error; err != nil {
			return fmt.Errorf("note %s of transfer %s: %w", event, t.UUID, err)
		}
	}
	return nil
}

func newWebhookDelivery(t *tasks.Transfer, url string, now time.Time, kind string, found *ledger.Fixity) (n WebhookDelivery, err error) {
	event, err := uuid.NewV7()
	if err != nil {
		return n, fmt.Errorf("name an event: %w", err)
	}
	body, err := json.Marshal(struct {
		Event  string         `json:"event"`
		Type   string         `json:"type"`
		At     time.Time      `json:"at"`
		Name   string         `json:"name"`
		Of     tasks.Summary  `json:"transfer"`
		Fixity *ledger.Fixity `json:"fixity,omitempty"`
	}{event.String(), kind, now, t.Name, tasks.Summarize(t, now), found})
	if err != nil {
		return n, fmt.Errorf("describe transfer %s: %w", t.UUID, err)
	}
	return WebhookDelivery{Event: event.String(), TransferID: t.ID, URL: url, Body: string(body), DueAt: &now, CreatedAt: now}, nil
}

// DueWebhooks lists messages that should be delivered now.
func (s *Store) DueWebhooks(ctx context.Context, limit int) ([]WebhookDelivery, error) {
	var rows []WebhookDelivery
	due := s.db.Session(ctx).Where("due_at <= ?", s.db.Stamp()).Order("due_at").Limit(limit)
	if err := findEach(due, &rows, unreadableWebhook); err != nil {
		return nil, fmt.Errorf("list due webhooks: %w", err)
	}
	for i := range rows {
		if rows[i].misread == nil {
			continue
		}
		s.db.Log().ErrorContext(ctx, "a webhook is given up", "id", rows[i].ID, "transfer", rows[i].TransferID, "error", rows[i].misread)
		if err := s.FinishWebhook(ctx, rows[i].ID, rows[i].Error, 0); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(rows, func(d WebhookDelivery) bool { return d.misread != nil }), nil
}

// ClaimWebhook claims a message for one delivery. No other process can claim it for the
// time again. It reports false when another process was faster.
func (s *Store) ClaimWebhook(ctx context.Context, n *WebhookDelivery, again time.Duration) (taken bool, err error) {
	err = s.db.Write(ctx, "take webhook", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ? AND attempts = ? AND due_at IS NOT NULL",
			now.Add(again), n.ID, n.Attempts)
		taken = u.RowsAffected == 1
		return u.Error
	})
	return taken, err
}

// FinishWebhook records the outcome of a delivery: done without a reason; with one,
// it is sent again after a while, or given up when again is 0.
func (s *Store) FinishWebhook(ctx context.Context, id int64, reason string, again time.Duration) error {
	return s.db.Write(ctx, "note webhook", func(tx *gorm.DB, now time.Time) error {
		set := map[string]any{"error": db.ClipText(reason, 4096), "due_at": nil}
		switch {
		case reason == "":
			set["done_at"] = now
		case again > 0:
			set["due_at"] = now.Add(again)
		}
		return tx.Model(&WebhookDelivery{}).Where("id = ?", id).Updates(set).Error
	})
}

// Webhooks lists the messages about a transfer's ends, oldest first.
func (s *Store) Webhooks(ctx context.Context, transfer int64) ([]WebhookDelivery, error) {
	var rows []WebhookDelivery
	if err := findEach(s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("id"), &rows, unreadableWebhook); err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return rows, nil
}

// unreadableWebhook stands in for a delivery whose row is invalid.
func unreadableWebhook(raw rawRow, err error) WebhookDelivery {
	return WebhookDelivery{
		ID: raw.number("id"), TransferID: raw.number("transfer_id"), URL: raw.text("url"),
		Error: "its row in the database cannot be read: " + err.Error(), misread: err,
	}
}
