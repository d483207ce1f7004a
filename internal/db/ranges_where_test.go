package db

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A query for some files of a transfer reads those, not the whole transfer.
func TestRangesBoundWhatIsRead(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), "sqlite:"+t.TempDir()+"/x.db", Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	testkit.Must(t, d.Exec(t.Context(), "CREATE TABLE files (transfer_id INTEGER, no INTEGER, PRIMARY KEY (transfer_id, no)) WITHOUT ROWID"))
	testkit.Must(t, d.Exec(t.Context(), "INSERT INTO files WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT 1, i FROM n"))
	for _, text := range []string{"", "7", "5-9", "1-3,7,9", "3-5,8-12,200,400-500"} {
		var want tasks.Ranges
		if text != "" {
			want, err = tasks.ParseRanges(text)
			testkit.Must(t, err)
		}
		q := WhereInRanges(d.Session(t.Context()).Table("files").Where("transfer_id = ?", 1), "no", want)
		var numbers []int64
		testkit.Must(t, q.Pluck("no", &numbers).Error)
		if got := tasks.NewRanges(numbers).String(); got != text {
			t.Errorf("%q: read %q", text, got)
		}
		if text == "" {
			continue
		}
		plan := WhereInRanges(d.Session(t.Context()).Table("files").Where("transfer_id = ?", 1), "no", want).Select("no")
		var steps []struct{ Detail string }
		testkit.Must(t, d.Session(t.Context()).Raw("EXPLAIN QUERY PLAN ?", plan).Scan(&steps).Error)
		if len(steps) != 1 || !strings.Contains(steps[0].Detail, "no>? AND no<?") {
			t.Errorf("%q: the plan is %v", text, steps)
		}
	}
}
