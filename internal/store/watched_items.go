package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/watch"
	"github.com/balerhq/baler/tasks"
)

// watchedRow is an entry of a watched folder.
type watchedRow struct {
	WatchID    []byte `gorm:"primaryKey"`
	PathHash   []byte `gorm:"primaryKey"`
	Path       []byte
	Print      string
	Token      string
	Stage      watch.Stage
	TransferID int64
	Target     []byte
}

// TableName names the table to GORM.
func (watchedRow) TableName() string { return "watched_items" }

func (r *watchedRow) item() watch.Item {
	return watch.Item{
		Path: string(r.Path), Print: r.Print, Token: r.Token, Stage: r.Stage, Transfer: r.TransferID, Target: string(r.Target),
	}
}

func itemRow(of string, i *watch.Item) watchedRow {
	return watchedRow{
		WatchID: hash16(of), PathHash: hash16(i.Path), Path: []byte(i.Path), Print: i.Print, Token: i.Token, Stage: i.Stage,
		TransferID: i.Transfer, Target: []byte(i.Target),
	}
}

// WatchedItems implements watch.Store.
func (s *Store) WatchedItems(ctx context.Context, of string, paths []string) (map[string]watch.Item, error) {
	hashes := make([][]byte, len(paths))
	for i, p := range paths {
		hashes[i] = hash16(p)
	}
	var rows []watchedRow
	if err := s.db.Session(ctx).Where("watch_id = ? AND path_hash IN ?", hash16(of), hashes).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read watched entries: %w", err)
	}
	items := make(map[string]watch.Item, len(rows))
	for i := range rows {
		items[string(rows[i].Path)] = rows[i].item()
	}
	return items, nil
}

// BeginItem implements watch.Store.
func (s *Store) BeginItem(ctx context.Context, of string, i *watch.Item, replaces string) (began bool, err error) {
	err = s.db.Write(ctx, "note an entry of a watched folder", func(tx *gorm.DB, _ time.Time) error {
		row := itemRow(of, i)
		if replaces == "" {
			began = true
			return tx.Create(&row).Error
		}
		replaced := tx.Model(&watchedRow{}).Where("watch_id = ? AND path_hash = ? AND token = ?", row.WatchID, row.PathHash, replaces)
		done := replaced.Updates(map[string]any{
			"print": row.Print, "token": row.Token, "stage": row.Stage, "transfer_id": row.TransferID, "target": row.Target,
		})
		began = done.RowsAffected == 1
		return done.Error
	})
	if db.IsDuplicate(err) {
		return false, nil
	}
	return began && err == nil, err
}

// ChangeItem implements watch.Store.
func (s *Store) ChangeItem(ctx context.Context, of string, i *watch.Item, from watch.Stage) (changed bool, err error) {
	err = s.db.Write(ctx, "change an entry of a watched folder", func(tx *gorm.DB, _ time.Time) error {
		row := itemRow(of, i)
		done := tx.Model(&watchedRow{}).
			Where("watch_id = ? AND path_hash = ? AND token = ? AND stage = ?", row.WatchID, row.PathHash, row.Token, from).
			Updates(map[string]any{"stage": row.Stage, "transfer_id": row.TransferID, "target": row.Target})
		changed = done.RowsAffected == 1
		return done.Error
	})
	return changed && err == nil, err
}

// DropItem implements watch.Store.
func (s *Store) DropItem(ctx context.Context, of string, i *watch.Item) error {
	return s.db.Write(ctx, "forget an entry of a watched folder", func(tx *gorm.DB, _ time.Time) error {
		return tx.Where("watch_id = ? AND path_hash = ? AND token = ?", hash16(of), hash16(i.Path), i.Token).Delete(&watchedRow{}).Error
	})
}

// DueItems implements watch.Store.
func (s *Store) DueItems(ctx context.Context, of string, state watch.Stage, after string, limit int) ([]watch.Item, error) {
	q := s.db.Session(ctx).Joins("LEFT JOIN transfers ON transfers.id = watched_items.transfer_id").
		Where("watched_items.watch_id = ? AND watched_items.stage = ?", hash16(of), state) // as its index has them
	switch state {
	case watch.Submitting, watch.Moving:
	case watch.Submitted:
		q = q.Where("transfers.id IS NULL OR transfers.state IN ?", []tasks.State{tasks.StateCompleted, tasks.StateCanceled})
	case watch.Ended:
		q = q.Where("transfers.id IS NULL")
	}
	if after != "" {
		q = q.Where("watched_items.path_hash > ?", hash16(after))
	}
	var rows []watchedRow
	if err := q.Order("watched_items.path_hash").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read watched entries: %w", err)
	}
	items := make([]watch.Item, len(rows))
	for i := range rows {
		items[i] = rows[i].item()
	}
	return items, nil
}
