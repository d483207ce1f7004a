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
}

// TableName names the table to GORM.
func (costRow) TableName() string { return "costs" }

// costsMost is how many rows there may be: they outlive their workers, so that a
// restart does not begin with nothing known.
const costsMost = 1024

// SaveCosts keeps what workers have learnt of costs, each row in the place of
// what the same worker knew of the same kind. When there are too many rows the
// oldest go, of kinds that have many of them first.
func (s *Store) SaveCosts(ctx context.Context, learnt []cost.Stats) error {
	if len(learnt) == 0 {
		return nil
	}
	rows := make([]costRow, len(learnt))
	for i := range learnt {
		rows[i] = newCostRow(&learnt[i])
	}
	slices.SortFunc(rows, compareCosts) // two workers lock rows in the same order
	return s.db.Write(ctx, "save costs", func(tx *gorm.DB, _ time.Time) error {
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error; err != nil {
			return err
		}
		var n int64
		if err := tx.Model(&costRow{}).Count(&n).Error; err != nil || n <= costsMost {
			return err
		}
		return pruneCosts(tx)
	})
}

// pruneCosts leaves three quarters of the rows that there may be.
func pruneCosts(tx *gorm.DB) error {
	var rows []costRow
	if err := tx.Order("updated_at DESC").Find(&rows).Error; err != nil {
		return fmt.Errorf("look for old costs: %w", err)
	}
	for _, r := range surplus(rows, costsMost*3/4) {
		if err := tx.Delete(&r).Error; err != nil {
			return fmt.Errorf("forget old costs: %w", err)
		}
	}
	return nil
}

// surplus are the rows, given newest first, that do not belong to those that
// stay: the newest of each kind, then the second newest of each, and so on.
func surplus(rows []costRow, stay int) []costRow {
	if len(rows) <= stay {
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
	gone := rows[stay:]
	slices.SortFunc(gone, compareCosts)
	return gone
}

// Costs gives all that is kept of costs.
func (s *Store) Costs(ctx context.Context) ([]cost.Stats, error) {
	var rows []costRow
	if err := s.db.Session(ctx).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read costs: %w", err)
	}
	learnt := make([]cost.Stats, len(rows))
	for i := range rows {
		learnt[i] = rows[i].learnt()
	}
	return learnt, nil
}

func newCostRow(l *cost.Stats) costRow {
	return costRow{
		Handler: db.ClipText(l.Handler, 64), Arguments: db.ClipText(l.With, 16), Worker: db.ClipText(l.Worker, 128),
		SumN2: l.NN, SumNB: l.NB, SumB2: l.BB, SumNT: l.NT, SumBT: l.BT, Seconds: l.Seconds, At: l.At.UTC().Truncate(time.Microsecond),
	}
}

func (r *costRow) learnt() cost.Stats {
	return cost.Stats{
		Key:    cost.Key{Handler: r.Handler, With: r.Arguments},
		Sums:   cost.Sums{NN: r.SumN2, NB: r.SumNB, BB: r.SumB2, NT: r.SumNT, BT: r.SumBT, Seconds: r.Seconds},
		Worker: r.Worker, At: r.At.UTC(),
	}
}

func compareCosts(a, b costRow) int {
	return cmp.Or(cmp.Compare(a.Handler, b.Handler), cmp.Compare(a.Arguments, b.Arguments), cmp.Compare(a.Worker, b.Worker))
}
