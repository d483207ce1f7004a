package bench

import (
	"testing"
	"time"
)

func TestRowsOfSeveralStatements(t *testing.T) {
	t.Parallel()
	now := moment(time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC))
	files, results := &inserter{head: intoFiles}, &inserter{head: intoResults}
	files.file(-7, 1, `/tmp/it's\a`, now)
	files.file(-7, 2, "/b", now)
	results.result(-7, 1, now)
	got := []string{files.statement(), results.statement()}
	files.file(-7, 3, "/c", now)
	got = append(got, files.statement())
	want := []string{
		intoFiles + `(-7,1,'/tmp/it''s\\a',0,'2026-01-02 03:04:05.000006'),(-7,2,'/b',0,'2026-01-02 03:04:05.000006')`,
		intoResults + `(-7,1,1,1,'succeeded','bench-1','2026-01-02 03:04:05.000006','2026-01-02 03:04:05.000006')`,
		intoFiles + `(-7,3,'/c',0,'2026-01-02 03:04:05.000006')`,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}
