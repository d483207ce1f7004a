package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
)

type auditRow struct {
	ID       int64 `gorm:"primaryKey"`
	At       time.Time
	Who      string
	CameFrom string
	Action   string
	Target   string
	Transfer string // that Target names; empty when it names none
	Result   audit.Status
	Detail   string
}

// TableName names the table to GORM.
func (auditRow) TableName() string { return "audit_log" }

func (r *auditRow) entry() audit.Entry {
	return audit.Entry{
		ID: r.ID, At: r.At, Who: r.Who, From: r.CameFrom, Action: r.Action, Target: r.Target, Result: r.Result, Detail: r.Detail,
	}
}

// The lengths of the columns of the audit log, in characters.
const (
	auditWho    = 255
	auditFrom   = 64
	auditAction = 255
	auditText   = 1024
)

// AddAudit writes a line of the audit log with the database's time, and returns its number.
func (s *Store) AddAudit(ctx context.Context, e audit.Entry) (id int64, err error) {
	err = s.db.Write(ctx, "write the audit log", func(tx *gorm.DB, now time.Time) error {
		row := auditRow{
			At: now, Who: db.ClipText(e.Who, auditWho), CameFrom: db.ClipText(e.From, auditFrom), Action: db.ClipText(e.Action, auditAction),
			Target: db.ClipText(e.Target, auditText), Transfer: audit.TransferOf(e.Target), Result: e.Result,
			Detail: db.ClipText(e.Detail, auditText),
		}
		err := tx.Create(&row).Error
		id = row.ID
		return err
	})
	return id, err
}

// FinishAudit writes how a change ended. target "" keeps what the line has.
func (s *Store) FinishAudit(ctx context.Context, id int64, result audit.Status, target, detail string) error {
	return s.db.Write(ctx, "write the audit log", func(tx *gorm.DB, _ time.Time) error {
		changes := map[string]any{"result": result, "detail": db.ClipText(detail, auditText)}
		if target != "" {
			changes["target"], changes["transfer"] = db.ClipText(target, auditText), audit.TransferOf(target)
		}
		return tx.Model(&auditRow{}).Where("id = ?", id).Updates(changes).Error
	})
}

// AuditLog lists up to limit lines numbered below before, newest first; before 0 starts at
// the newest.
func (s *Store) AuditLog(ctx context.Context, before int64, limit int) ([]audit.Entry, error) {
	q := s.db.Session(ctx).Order("id DESC").Limit(limit)
	if before > 0 {
		q = q.Where("id < ?", before)
	}
	return auditLines(q)
}

// AuditOf lists up to limit lines about a transfer that have a result and one of some
// actions, newest first.
func (s *Store) AuditOf(ctx context.Context, transfer string, result audit.Status, actions []string, limit int) ([]audit.Entry, error) {
	q := s.db.Session(ctx).Where("transfer = ? AND result = ? AND action IN ?", transfer, result, actions)
	return auditLines(q.Order("id DESC").Limit(limit))
}

func auditLines(q *gorm.DB) ([]audit.Entry, error) {
	var rows []auditRow
	err := findEach(q, &rows, func(raw rawRow, err error) auditRow {
		return auditRow{ID: raw.number("id"), Result: audit.Failed, Detail: "its row in the database cannot be read: " + err.Error()}
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return fromRows(rows, (*auditRow).entry), nil
}

// auditPage is how many lines are deleted in one transaction.
const auditPage = 1000

// PruneAudit deletes lines of the audit log from before a time.
func (s *Store) PruneAudit(ctx context.Context, before time.Time) (n int64, err error) {
	for {
		var ids []int64
		err := s.db.Session(ctx).Model(&auditRow{}).Where("at < ?", before.UTC()).Order("id").Limit(auditPage).Pluck("id", &ids).Error
		if err != nil {
			return n, fmt.Errorf("list old lines of the audit log: %w", err)
		}
		if len(ids) == 0 {
			return n, nil
		}
		err = s.db.Write(ctx, "delete old lines of the audit log", func(tx *gorm.DB, _ time.Time) error {
			return tx.Where("id IN ?", ids).Delete(&auditRow{}).Error
		})
		if err != nil {
			return n, err
		}
		n += int64(len(ids))
	}
}
