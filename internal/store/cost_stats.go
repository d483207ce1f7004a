package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/db"
)

type costRow struct {
	Handler   string `gorm:"primaryKey"`
	Arguments string `gorm:"primaryKey"`
	Worker    string `gorm:"primaryKey"`
	SumN2     float64
	SumNB     float64
	SumB2     float64
	SumNT     float64
	SumBT     float64
	Seconds   float64
	At        time.Time `gorm:"column:updated_at"` // not UpdatedAt, which GORM would set

	misread bool // see findEach
}

// TableName names the table to GORM.
func (costRow) TableName() string { return "costs" }

// maxCostRows bounds the table. Rows outlive their workers, so that a worker has
// the costs after a restart.
const maxCostRows = 1024

// SaveCosts saves cost statistics. A row replaces that of the same worker, handler and
// arguments. When there are too many rows it deletes the oldest, first those of handlers
// and arguments that have many rows.
func (s *Store) SaveCosts(ctx context.Context, stats []cost.Observations) error {
	if len(stats) == 0 {
		return nil
	}
	rows := make([]costRow, len(stats))
	for i := range stats {
		rows[i] = newCostRow(&stats[i])
	}
	slices.SortFunc(rows, compareCosts) // so that two workers lock rows in the same order
	return s.db.Write(ctx, "save costs", func(tx *gorm.DB, _ time.Time) error {
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error; err != nil {
			return err
		}
		var n int64
		if err := tx.Model(&costRow{}).Count(&n).Error; err != nil || n <= maxCostRows {
			return err
		}
		return pruneCosts(tx)
	})
}

// pruneCosts deletes rows until the table is three quarters full.
func pruneCosts(tx *gorm.DB) error {
	var rows []costRow
	if err := findEach(tx.Order("updated_at DESC"), &rows, unreadableCost); err != nil {
		return fmt.Errorf("look for old costs: %w", err)
	}
	for _, r := range surplus(rows, maxCostRows*3/4) {
		if err := tx.Delete(&r).Error; err != nil {
			return fmt.Errorf("delete old costs: %w", err)
		}
	}
	return nil
}

// surplus returns the rows to delete of rows, which are sorted from the newest. It keeps
// the newest of each handler and arguments, then the second newest of each, and so on.
func surplus(rows []costRow, keep int) []costRow {
	if len(rows) <= keep {
		return nil
	}
	rank := make(map[cost.Key]int)
	ranks := make(map[costRow]int, len(rows))
	for _, r := range rows {
		k := cost.Key{Handler: r.Handler, With: r.Arguments}
		ranks[r] = rank[k]
		rank[k]++
	}
	slices.SortStableFunc(rows, func(a, b costRow) int { return cmp.Compare(ranks[a], ranks[b]) })
	gone := rows[keep:]
	slices.SortFunc(gone, compareCosts)
	return gone
}

// Costs returns all cost statistics.
func (s *Store) Costs(ctx context.Context) ([]cost.Observations, error) {
	var rows []costRow
	if err := findEach(s.db.Session(ctx), &rows, unreadableCost); err != nil {
		return nil, fmt.Errorf("read costs: %w", err)
	}
	stats := make([]cost.Observations, 0, len(rows))
	for i := range rows {
		if !rows[i].misread {
			stats = append(stats, rows[i].stats())
		}
	}
	return stats, nil
}

// unreadableCost stands in for statistics that are invalid. They are learnt again.
func unreadableCost(raw rawRow, _ error) costRow {
	return costRow{Handler: raw.text("handler"), Arguments: raw.text("arguments"), Worker: raw.text("worker"), misread: true}
}

func newCostRow(l *cost.Observations) costRow {
	return costRow{
		Handler: db.ClipText(l.Handler, 64), Arguments: db.ClipText(l.With, 16), Worker: db.ClipText(l.Worker, 128),
		SumN2: l.NN, SumNB: l.NB, SumB2: l.BB, SumNT: l.NT, SumBT: l.BT, Seconds: l.Seconds, At: l.At.UTC().Truncate(time.Microsecond),
	}
}

func (r *costRow) stats() cost.Observations {
	return cost.Observations{
		Key:    cost.Key{Handler: r.Handler, With: r.Arguments},
		Sums:   cost.Sums{NN: r.SumN2, NB: r.SumNB, BB: r.SumB2, NT: r.SumNT, BT: r.SumBT, Seconds: r.Seconds},
		Worker: r.Worker, At: r.At.UTC(),
	}
}

func compareCosts(a, b costRow) int {
	return cmp.Or(cmp.Compare(a.Handler, b.Handler), cmp.Compare(a.Arguments, b.Arguments), cmp.Compare(a.Worker, b.Worker))
}
