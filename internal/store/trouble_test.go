package store

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

type verdict struct{ transient, refused, outage, duplicate bool }

func judge(err error) verdict {
	return verdict{db.IsTransient(err), db.IsRejected(err), db.IsOutage(err), db.IsDuplicate(err)}
}

func migrated(t *testing.T, dialect db.Dialect, query string) *env {
	t.Helper()
	b := emptyEnv(t, dialect)
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if query != "" {
		b.url += "?" + query
		b.use(t, b.another(t, db.Options{}))
	}
	return b
}

func TestErrorOfDuplicates(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		row := leaseRow{Name: "l", Until: b.clock.Now()}
		if err := b.db.Create(&row).Error; err != nil {
			t.Fatal(err)
		}
		if got := judge(b.db.Create(&row).Error); got != (verdict{refused: true, duplicate: true}) {
			t.Errorf("a key that is there: %+v", got)
		}
	})
}

func TestErrorOfValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "")
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 3)
	one := b.batch(t, tr.ID, "1-3")
	for name, spoil := range map[string]func(r *tasks.Result){
		"exit code out of range": func(r *tasks.Result) { r.ExitCode = 1 << 40 },
		"facts that are no JSON": func(r *tasks.Result) { r.Facts = []byte(`{"a":`) },
		"outcome too long":       func(r *tasks.Result) { r.Outcome = "hardly ever so" },
		"output of 20 MiB":       func(r *tasks.Result) { r.Output = strings.Repeat("x", 20<<20) },
	} {
		rs := results(one, tasks.OutcomeSucceeded, 1, 2, 3)
		spoil(&rs[1])
		_, err := b.Record(t.Context(), []*ledger.BatchCompletion{{Batch: one, Results: rs, FollowUp: finishing(one)}})
		if got := judge(err); got != (verdict{refused: true}) {
			t.Errorf("%s: %+v, %.200v", name, got, err)
		}
		if b.count(t, "results", "1 = 1") > 0 || b.count(t, "batches", "1 = 1") != 1 {
			t.Errorf("%s: something was written", name)
		}
	}
	// Values that are too long, or not text, are shortened or converted.
	rs := results(one, tasks.OutcomeFailed, 1)
	rs[0].Code, rs[0].Worker, rs[0].Output = strings.Repeat("é", 5<<20/2), strings.Repeat("\xff", 1000), "a\xff"
	b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs})
	lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{}, tasks.ResultKey{}, 1)
	if err != nil || lines[0].Code != strings.Repeat("é", 32) || lines[0].Output != "a\uFFFD" {
		t.Errorf("%v, code of %d bytes", err, len(lines[0].Code))
	}
}

// Values that are too large are refused before they are sent, on every database.
func TestOutputThatNoDatabaseTakes(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		rs := results(one, tasks.OutcomeSucceeded, 1)
		rs[0].Error = strings.Repeat("x", 17<<20)
		_, err := b.Record(t.Context(), []*ledger.BatchCompletion{{Batch: one, Results: rs}})
		if got := judge(err); got != (verdict{refused: true}) {
			t.Errorf("%+v, %.200v", got, err)
		}
		rs[0].Error = strings.Repeat("'", 5<<20)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs})
	})
}

func TestErrorOfDeadlock(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "")
	one, two := b.transfer(t, 1).ID, b.transfer(t, 1).ID
	touch := func(tx *gorm.DB, id int64) error {
		return tx.Exec("UPDATE transfers SET name = CONCAT(name, 'x') WHERE id = ?", id).Error
	}
	first, second := b.db.Begin(), b.db.Begin()
	defer first.Rollback()
	defer second.Rollback()
	if err := errors.Join(touch(first, one), touch(second, two)); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	go func() { errs <- touch(first, two) }()
	go func() { errs <- touch(second, one) }()
	err := <-errs
	if err == nil { // the other one was chosen as the victim
		err = <-errs
	}
	if got := judge(err); got != (verdict{transient: true, outage: true}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestErrorOfLockWait(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "innodb_lock_wait_timeout=1")
	tr := b.transfer(t, 1)
	holder := b.db.Begin()
	if err := holder.Exec("UPDATE transfers SET name = 'held' WHERE id = ?", tr.ID).Error; err != nil {
		t.Fatal(err)
	}
	err := b.db.Exec("UPDATE transfers SET name = 'mine' WHERE id = ?", tr.ID).Error
	if got := judge(err); got != (verdict{transient: true, outage: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := holder.Rollback().Error; err != nil {
		t.Fatal(err)
	}
}

func TestErrorOfBusySQLite(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.SQLite, "")
	rival := b.another(t, db.Options{MaxConnections: 1})
	if err := rival.db.Session(t.Context()).Exec("PRAGMA busy_timeout(0)").Error; err != nil {
		t.Fatal(err)
	}
	holder := b.db.Begin()
	err := rival.db.Session(t.Context()).Exec("UPDATE transfers SET name = 'mine'").Error
	if got := judge(err); got != (verdict{transient: true, outage: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := holder.Rollback().Error; err != nil {
		t.Fatal(err)
	}
}

// A conflict is tried again inside; the one who asked does not hear of it.
func TestConflictIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tries := 0
		err := b.Store.db.Write(t.Context(), "try", func(*gorm.DB, time.Time) error {
			if tries++; tries < 4 {
				return db.ErrRace
			}
			return nil
		})
		if err != nil || tries != 4 {
			t.Errorf("%d tries, %v", tries, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		tries = 0
		err = b.Store.db.Write(ctx, "try", func(*gorm.DB, time.Time) error {
			tries++
			cancel()
			return db.ErrRace
		})
		if err == nil || tries != 1 {
			t.Errorf("%d tries under a context that has ended, %v", tries, err)
		}
	})
}

func TestNoDatabase(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	proxy.Down()
	u, err := url.Parse(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("somebody", "hush-hush")
	_, err = Open(t.Context(), u.String(), db.Options{})
	if got := judge(err); got != (verdict{outage: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err != nil && strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("the error tells the password: %v", err)
	}
}

// A connection on which nothing comes back is noticed, and replaced.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "")
	proxy := testkit.Proxy(t, b.url)
	s, err := Open(t.Context(), proxy.URL()+"?readTimeout=3s&timeout=3s", db.Options{MaxConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	proxy.Silence()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = s.Transfers(ctx, 0, 1)
	if err == nil || ctx.Err() != nil || !db.IsOutage(err) {
		t.Fatalf("the silence was not noticed: %v", err)
	}
	proxy.Clear()
	testkit.Eventually(t, time.Minute, func() error {
		_, err := s.Transfers(t.Context(), 0, 1)
		return err
	})
}

// The database dies and comes back while results are recorded: they are there once.
func TestRecordAcrossALostAnswer(t *testing.T) {
	t.Parallel()
	b := &env{clock: testkit.NewClock()}
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	b.url = proxy.URL()
	b.use(t, b.another(t, db.Options{MaxConnections: 1}))
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 2)
	one := b.batch(t, tr.ID, "1-2")
	proxy.Latency(200 * time.Millisecond)
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		proxy.Down()
		proxy.Up()
		proxy.Clear()
	}()
	rec := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1, 2), FollowUp: finishing(one)}
	var done []ledger.CompletionResult
	testkit.Eventually(t, time.Minute, func() (err error) {
		done, err = b.Record(t.Context(), []*ledger.BatchCompletion{rec})
		return err
	})
	<-cut
	if err := done[0].Err; err != nil && !errors.Is(err, ledger.ErrLeaseLost) {
		t.Error(err)
	}
	b.checkCounters(t.Context(), t, tr.ID)
	if read := b.read(t, tr.ID); read.Finished != 2 || read.Steps[0].Succeeded != 2 {
		t.Errorf("%+v", read)
	}
}

// told is a log that tells a test of each of its records.
type told func()

func (told) Enabled(context.Context, slog.Level) bool    { return true }
func (f told) Handle(context.Context, slog.Record) error { f(); return nil }
func (f told) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f told) WithGroup(string) slog.Handler             { return f }

// The commit of an addition is done, and its answer is lost: the files are not
// registered a second time.
func TestAddFilesAcrossALostCommit(t *testing.T) {
	t.Parallel()
	b := &env{clock: testkit.NewClock()}
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	b.url = proxy.URL()
	b.use(t, b.another(t, db.Options{MaxConnections: 1, Log: slog.New(told(proxy.Clear))})) // the next try finds the way free
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 3)
	lost := 0
	err := b.db.Callback().Raw().After("gorm:raw").Register("test:lose", func(db *gorm.DB) {
		if lost == 0 && strings.HasPrefix(db.Statement.SQL.String(), "UPDATE transfers SET files") {
			lost++
			proxy.Reset()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	files := someFiles(5)
	if err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files}); err != nil {
		t.Fatal(err)
	}
	if lost != 1 || files[0].No != 4 || files[4].No != 8 {
		t.Errorf("%d commits lost, files %d to %d", lost, files[0].No, files[4].No)
	}
	b.checkCounters(t.Context(), t, tr.ID)
	if read := b.read(t, tr.ID); read.Files != 8 {
		t.Errorf("%d files registered, want 8", read.Files)
	}
}
