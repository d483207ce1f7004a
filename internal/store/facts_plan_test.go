package store

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Reading the facts of some files at all steps costs in proportion to these files, not to
// the transfer. The comparison of two large transfers reads them page by page.
func TestFactsAreReadByPlace(t *testing.T) {
	t.Parallel()
	b := emptyEnv(t, db.SQLite)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	tr := b.transfer(t, 3)
	b.files(t, tr.ID, 9)
	for step := range 3 {
		batch := b.batchAt(t, tr.ID, step+1, "1-9")
		rs := results(batch, tasks.OutcomeSucceeded, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		rs[4].Facts = fmt.Appendf(nil, `{"sha256":"%d"}`, step)
		b.record(t, &ledger.BatchCompletion{Batch: batch, Results: rs})
	}
	var plans []string
	testkit.Must(t, b.db.Callback().Query().After("gorm:query").Register("test:plan", func(tx *gorm.DB) {
		sql := tx.Statement.SQL.String()
		if strings.HasPrefix(sql, "EXPLAIN") || !strings.Contains(sql, "facts") {
			return
		}
		var steps []struct{ Detail string }
		testkit.Must(t, b.DB().Session(t.Context()).Raw("EXPLAIN QUERY PLAN "+sql, tx.Statement.Vars...).Scan(&steps).Error)
		plans = append(plans, steps[0].Detail)
	}))
	files := tasks.Ranges{{First: 4, Last: 6}, {First: 8, Last: 8}}
	all, err := b.Facts(t.Context(), tr.ID, math.MaxInt32, files)
	if err != nil || fmt.Sprint(all) != "map[5:map[sha256:2]]" {
		t.Errorf("facts of all steps: %v, %v", all, err)
	}
	first, err := b.FormerDigests(t.Context(), tr.ID, files)
	if err != nil || fmt.Sprint(first) != "map[5:map[sha256:2]]" {
		t.Errorf("former digests: %v, %v", first, err)
	}
	if len(plans) != 3 {
		t.Fatalf("%d queries: %q", len(plans), plans)
	}
	for _, plan := range plans {
		if !strings.Contains(plan, "(transfer_id=? AND step_no=? AND file_no>? AND file_no<?)") {
			t.Errorf("the plan is %s", plan)
		}
	}
}
