package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/watch"
)

// watchRow is what a watch tells about itself.
type watchRow struct {
	ID        []byte `gorm:"primaryKey"`
	Name      []byte
	Folder    []byte
	Recipe    string
	Holder    string
	How       string
	StartedAt time.Time
	SeenAt    time.Time
	Waiting   int64
	Submitted int64
	Moved     int64
	LastAt    *time.Time
	LastPath  []byte
	Problem   string
}

// TableName names the table to GORM.
func (watchRow) TableName() string { return "watches" }

// keepWatch is how long a watch is shown that has ended.
const keepWatch = 30 * 24 * time.Hour

// SaveWatch notes what a watch tells about itself.
func (s *Store) SaveWatch(ctx context.Context, w *watch.FolderActivity) error {
	return s.db.Write(ctx, "save watch", func(tx *gorm.DB, now time.Time) error {
		row := watchRow{
			ID: hash16(w.Name), Name: []byte(w.Name), Folder: []byte(w.Folder), Recipe: db.ClipText(w.Recipe, 255),
			Holder: db.ClipText(w.Holder, 255),
			How:    db.ClipText(w.How, 255), StartedAt: w.StartedAt.UTC(), SeenAt: now, Waiting: int64(w.Waiting), Submitted: w.Submitted,
			Moved: w.Moved, LastPath: []byte(w.LastPath), Problem: db.ClipText(w.Problem, auditText),
		}
		if !w.LastAt.IsZero() {
			at := w.LastAt.UTC()
			row.LastAt = &at
		}
		if err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		return tx.Where("seen_at < ?", now.Add(-keepWatch)).Delete(&watchRow{}).Error
	})
}

// Watches lists the watched folders, the one that was seen last first.
func (s *Store) Watches(ctx context.Context) ([]watch.FolderActivity, error) {
	var rows []watchRow
	if err := s.db.Session(ctx).Order("seen_at DESC").Limit(1000).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list watches: %w", err)
	}
	all := make([]watch.FolderActivity, len(rows))
	for i := range rows {
		r := &rows[i]
		all[i] = watch.FolderActivity{
			Name: string(r.Name), Folder: string(r.Folder), Recipe: r.Recipe, Holder: r.Holder, How: r.How, StartedAt: r.StartedAt.UTC(),
			SeenAt: r.SeenAt.UTC(), Waiting: int(r.Waiting), Submitted: r.Submitted, Moved: r.Moved, LastAt: timeOf(r.LastAt),
			LastPath: string(r.LastPath), Problem: r.Problem,
		}
	}
	return all, nil
}

// hash16 is a key for a text of any length.
func hash16(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}
