package store

import (
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// resultSource is where the results that a filter selects are found without reading the
// others: the steps that have any by their counters, and the table failures where only
// failures are selected.
type resultSource struct {
	filter   tasks.ResultSelector
	steps    []int // in ascending order
	failures bool
}

// chooseSource reads the counters of a transfer's steps, which are committed together with
// the results that they count.
func chooseSource(q *gorm.DB, transfer int64, f tasks.ResultSelector) (resultSource, error) {
	if f.Message != "" || f.Exactly { // only failures have one
		if f.Outcomes = failuresAmong(f.Outcomes); len(f.Outcomes) == 0 {
			return resultSource{filter: f, failures: true}, nil
		}
	}
	from := resultSource{filter: f, failures: len(f.Outcomes) > 0}
	var rows []stepRow
	if err := findEach(q.Where("transfer_id = ?", transfer).Order("no"), &rows, unreadableStep); err != nil {
		return from, fmt.Errorf("read the counts of results: %w", err)
	}
	for i := range rows {
		step := rows[i].step()
		if f.Step > 0 && f.Step != step.Number {
			continue
		}
		n := step.Total()
		if rows[i].misread != nil { // any may be there
			n, from.failures = 1, f.Message != "" || f.Exactly
		} else if len(f.Outcomes) > 0 {
			n = 0
			for _, o := range f.Outcomes {
				n += step.Get(o)
				from.failures = from.failures && (o.IsFailure() || step.Get(o) == 0)
			}
		}
		if n > 0 {
			from.steps = append(from.steps, step.Number)
		}
	}
	return from, nil
}

// failuresAmong keeps the outcomes that are failures: all of them, of no outcomes.
func failuresAmong(outcomes []tasks.Outcome) []tasks.Outcome {
	if len(outcomes) == 0 {
		outcomes = tasks.Outcomes()
	}
	return slices.DeleteFunc(slices.Clone(outcomes), func(o tasks.Outcome) bool { return !o.IsFailure() })
}

// keys is a query of the keys k of results, without the transfer and the step.
func (from *resultSource) keys(q *gorm.DB) *gorm.DB {
	if from.failures {
		return from.where(q.Table("failures k"))
	}
	return from.where(q.Table("results k"))
}

// results is a query of whole results, whose keys are in k.
func (from *resultSource) results(q *gorm.DB, dialect db.Dialect) *gorm.DB {
	if !from.failures {
		return from.where(q.Table("results k").Select("k.*"))
	}
	// Failures first, whatever the database thinks of the sizes of these tables.
	join := "STRAIGHT_JOIN"
	if dialect == db.SQLite {
		join = "CROSS JOIN"
	}
	return from.where(q.Table("failures k").Select("r.*").
		Joins(join + " results r ON r.transfer_id = k.transfer_id AND r.step_no = k.step_no AND r.file_no = k.file_no"))
}

func (from *resultSource) where(q *gorm.DB) *gorm.DB {
	if len(from.filter.Outcomes) > 0 {
		q = q.Where("k.outcome IN ?", from.filter.Outcomes)
	}
	if from.filter.Code != "" || from.filter.Exactly {
		q = q.Where("k.code = ?", from.filter.Code)
	}
	if from.filter.Message != "" || from.filter.Exactly { // which the table failures has
		q = q.Where("k.message = ?", from.filter.Message)
	}
	if from.filter.File > 0 {
		q = q.Where("k.file_no = ?", from.filter.File)
	}
	if from.filter.Parent > 0 {
		q = q.Where("EXISTS (SELECT 1 FROM files p WHERE p.transfer_id = k.transfer_id AND p.no = k.file_no AND p.parent_no = ?)",
			from.filter.Parent)
	}
	return q
}
