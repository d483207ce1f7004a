package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// env is one migrated database with a clock of its own.
type env struct {
	*Store
	db    *gorm.DB // the Store's database
	url   string
	clock *testkit.Clock
}

// each runs a test on a database of every kind.
func each(t *testing.T, test func(t *testing.T, b *env)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := emptyEnv(t, dialect)
			if _, err := b.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, b)
		})
	}
}

func emptyEnv(t *testing.T, dialect db.Dialect) *env {
	t.Helper()
	b := &env{clock: testkit.NewClock()}
	if dialect == db.MySQL {
		b.url = testkit.MySQL(t)
	} else {
		b.url = "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
	}
	b.use(t, b.another(t, db.Options{}))
	return b
}

// use makes s the Store of the env.
func (b *env) use(t *testing.T, s *Store) {
	t.Helper()
	b.Store, b.db = s, s.DB().Session(t.Context())
}

// another opens the same database once more, as another process would.
func (b *env) another(t *testing.T, o db.Options) *Store {
	t.Helper()
	if o.Now == nil {
		o.Now = b.clock.Now
	}
	s, err := Open(t.Context(), b.url, o)
	if err != nil {
		t.Fatal(err)
	}
	testkit.CloseAtEnd(t, s)
	return s
}

// transfer registers an open bulk transfer with that many steps.
func (b *env) transfer(t *testing.T, steps int) tasks.Transfer {
	t.Helper()
	n := NewTransfer{Name: "test", Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []"}
	for i := range steps {
		n.Steps = append(n.Steps, tasks.StepProgress{Number: i + 1, Name: fmt.Sprintf("step-%d", i+1), Handler: "noop"})
	}
	tr, created, err := b.Create(t.Context(), n)
	if err != nil || !created {
		t.Fatalf("create: created %v, %v", created, err)
	}
	return tr
}

// files registers n files of one byte each.
func (b *env) files(t *testing.T, transfer int64, n int) {
	t.Helper()
	if err := b.AddFiles(t.Context(), FileBatch{Transfer: transfer, Files: someFiles(n)}); err != nil {
		t.Fatal(err)
	}
}

func someFiles(n int) []tasks.File {
	files := make([]tasks.File, n)
	for i := range files {
		files[i] = tasks.File{Path: fmt.Sprintf("/data/%06d", i), Size: 1}
	}
	return files
}

// batch writes a first attempt at step 1 to the ledger.
func (b *env) batch(t *testing.T, transfer int64, files string) *tasks.Batch {
	t.Helper()
	return b.batchAt(t, transfer, 1, files)
}

func (b *env) batchAt(t *testing.T, transfer int64, step int, files string) *tasks.Batch {
	t.Helper()
	one := []tasks.Batch{newBatch(t, transfer, step, files)}
	if err := b.AddBatches(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	return &one[0]
}

func newBatch(t *testing.T, transfer int64, step int, files string) tasks.Batch {
	t.Helper()
	rs, err := tasks.ParseRanges(files)
	if err != nil {
		t.Fatal(err)
	}
	return tasks.Batch{Transfer: transfer, Step: step, Attempt: 1, Queue: "baler", Files: rs}
}

// results are verdicts on the files of a batch, with a sign of who gave them.
func results(b *tasks.Batch, outcome tasks.Outcome, files ...int64) []tasks.Result {
	at := time.Date(2026, time.March, 4, 11, 59, 0, 123456000, time.UTC)
	rs := make([]tasks.Result, len(files))
	for i, f := range files {
		rs[i] = tasks.Result{
			Step: b.Step, File: f, Outcome: outcome, Attempt: b.Attempt, Worker: fmt.Sprintf("worker-of-%d", b.ID),
			StartedAt: at, EndedAt: at.Add(time.Second),
		}
	}
	return rs
}

// finishing is what follows when all files of a batch pass their last step.
func finishing(b *tasks.Batch) *ledger.FollowUp {
	return &ledger.FollowUp{Finished: int64(b.Items())}
}

// changed returns those of the files that are not in a collection as they are.
func (b *env) changed(t *testing.T, runKey string, files []tasks.File) (changed []tasks.File, err error) {
	t.Helper()
	seen, err := b.CompareFiles(t.Context(), runKey, 0, files)
	for i := range seen {
		if seen[i].Status != ledger.Unchanged {
			changed = append(changed, files[i])
		}
	}
	return changed, err
}

// record commits recordings, all of which must be accepted.
func (b *env) record(t *testing.T, recs ...*ledger.BatchCompletion) []ledger.CompletionResult {
	t.Helper()
	done, err := b.Record(t.Context(), recs)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range done {
		if r.Err != nil {
			t.Fatalf("recording %d: %v", i, r.Err)
		}
	}
	return done
}

// recordOne records one completion, and returns its own error too.
func (b *env) recordOne(t *testing.T, rec *ledger.BatchCompletion) (done ledger.CompletionResult, err error) {
	t.Helper()
	all, err := b.Record(t.Context(), []*ledger.BatchCompletion{rec})
	if err != nil {
		return done, err
	}
	return all[0], all[0].Err
}

func (b *env) read(t *testing.T, transfer int64) tasks.Transfer {
	t.Helper()
	tr, err := b.TransferByID(t.Context(), transfer)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// count counts the rows that a condition selects.
func (b *env) count(t *testing.T, table, where string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := b.db.Table(table).Where(where, args...).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// complainer is a test, or a run of a property.
type complainer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// checkCounters compares every counter of a transfer with the rows it counts.
func (b *env) checkCounters(ctx context.Context, t complainer, transfer int64) {
	t.Helper()
	tr, err := b.TransferByID(ctx, transfer)
	if err != nil {
		t.Fatal(err)
	}
	var counted struct{ Files, Bytes int64 }
	if err := b.db.Raw("SELECT COUNT(*) AS files, COALESCE(SUM(size), 0) AS bytes FROM files WHERE transfer_id = ?", transfer).
		Scan(&counted).Error; err != nil {
		t.Fatal(err)
	}
	if counted.Files != tr.Files || counted.Bytes != tr.Bytes {
		t.Errorf("the transfer counts %d files, %d bytes; its rows %d, %d", tr.Files, tr.Bytes, counted.Files, counted.Bytes)
	}
	var rows []struct {
		StepNo  int
		Outcome tasks.Outcome
		N       int64
	}
	if err := b.db.Raw("SELECT step_no, outcome, COUNT(*) AS n FROM results WHERE transfer_id = ? GROUP BY step_no, outcome", transfer).
		Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	var astray int64
	if err := b.db.Raw(`SELECT (SELECT COUNT(*) FROM results r LEFT JOIN failures f
			ON f.transfer_id = r.transfer_id AND f.step_no = r.step_no AND f.file_no = r.file_no AND f.outcome = r.outcome AND f.code = r.code
			WHERE r.transfer_id = ? AND (f.file_no IS NOT NULL) <> (r.outcome IN ('failed', 'error', 'timed_out'))) +
		(SELECT COUNT(*) FROM failures f LEFT JOIN results r
			ON f.transfer_id = r.transfer_id AND f.step_no = r.step_no AND f.file_no = r.file_no
			WHERE f.transfer_id = ? AND r.file_no IS NULL)`, transfer, transfer).Scan(&astray).Error; err != nil {
		t.Fatal(err)
	}
	if astray > 0 {
		t.Errorf("%d rows of failures and results do not agree", astray)
	}
	there := make(map[int]*tasks.Counts)
	for _, r := range rows {
		if there[r.StepNo] == nil {
			there[r.StepNo] = new(tasks.Counts)
		}
		there[r.StepNo].Add(r.Outcome, r.N)
	}
	for _, step := range tr.Steps {
		var want tasks.Counts
		if c := there[step.Number]; c != nil {
			want = *c
		}
		if step.Counts != want {
			t.Errorf("step %d counts %+v, its rows are %+v", step.Number, step.Counts, want)
		}
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}
