package recorder

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/transfertest"
	"github.com/balerhq/baler/tasks"
)

// recording ends a batch of one file well.
func recording(b *tasks.Batch) *ledger.BatchCompletion {
	now := time.Now()
	no := b.Files[0].First
	return &ledger.BatchCompletion{
		Batch:    b,
		Results:  []tasks.Result{{Step: b.Step, File: no, Outcome: tasks.OutcomeSucceeded, Attempt: 1, StartedAt: now, EndedAt: now}},
		FollowUp: &ledger.FollowUp{Finished: 1},
	}
}

// Many recordings share one transaction. When one is wrong, only that one gets the error.
func TestRecorderTellsEachItsOwn(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := transfertest.New(t, url, "name: t\nsteps: [{handler: any, batch: {max_items: 1}}]")
		r.Refuse()
		batches := r.Files(30)
		for i := range batches {
			if i%3 == 0 {
				r.Must(r.Store.ReleaseBatch(t.Context(), &batches[i])) // from here on it belongs to another worker
			}
		}
		recorder := New(r.Store, Options{MaxItems: 1000, Flushers: 2})
		t.Cleanup(func() { r.Must(recorder.Close(context.Background())) })
		var recorded sync.WaitGroup
		for i := range batches {
			rec := recording(&batches[i])
			if i%3 == 1 {
				rec.Results[0].Output = "poison"
			}
			recorded.Go(func() {
				_, err := recorder.Record(t.Context(), rec)
				if i%3 == 1 {
					e, is := errors.AsType[*RejectedError](err)
					if !is || !slices.Equal(e.Files, []int64{rec.Results[0].File}) || e.Results[0].Code != handlers.CodeDatabaseRejected {
						t.Errorf("recording %d has no error although it was refused: %v", i, err)
						return
					}
					if rec.Results[0].Code != "" {
						t.Errorf("recording %d was changed: %+v", i, rec.Results[0])
					}
					_, err = recorder.Record(t.Context(), &ledger.BatchCompletion{Batch: rec.Batch, FollowUp: rec.FollowUp})
				}
				if stale := i%3 == 0; stale != errors.Is(err, ledger.ErrLeaseLost) || !stale && err != nil {
					t.Errorf("recording %d: %v", i, err)
				}
			})
		}
		recorded.Wait()
		got := r.Results(1)
		if len(got) != 20 {
			t.Errorf("%d results, want 20", len(got))
		}
		tr, err := r.Store.TransferByID(t.Context(), r.Transfer.ID)
		r.Must(err)
		if tr.Finished != 20 || tr.Steps[0].Succeeded != 10 || tr.Steps[0].Error != 10 {
			t.Errorf("%d finished, counted %+v", tr.Finished, tr.Steps[0])
		}
	})
}

// Recordings that cannot be written within the time of Close fail; Close does not wait
// forever.
func TestRecorderCloseGivesUp(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	r := transfertest.New(t, proxy.URL(), "name: t\nsteps: [{handler: any}]")
	batches := r.Files(1)
	recorder := New(r.Store, Options{MaxItems: 1000, Flushers: 2})
	proxy.Down()
	answer := make(chan error, 1)
	go func() {
		_, err := recorder.Record(context.Background(), recording(&batches[0]))
		answer <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// Closing may come before the recording: then that is refused at once.
	if err := recorder.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	if err := <-answer; err == nil {
		t.Error("recorded without a database")
	}
	r.Must(recorder.Close(context.Background()))
	proxy.Up()
	if got := r.Results(1); len(got) > 0 {
		t.Errorf("recorded %+v", got)
	}
}

// While the database rejects results whatever they hold, the log says so once, with what to do, and
// those who wait for the transfer can learn it. The results are recorded when it accepts them.
func TestRecorderSaysOnceThatNoResultIsAccepted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := transfertest.New(t, url, "name: t\nsteps: [{handler: any, batch: {max_items: 20}}]")
		trigger := "CREATE TRIGGER closed BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'closed by the test'); END"
		if r.Store.Dialect() == db.MySQL {
			trigger = "CREATE TRIGGER closed BEFORE INSERT ON results FOR EACH ROW SIGNAL SQLSTATE '22003' SET MESSAGE_TEXT = 'closed by the test'"
		}
		execute := func(statement string) {
			_, err := r.DB().ExecContext(t.Context(), statement)
			r.Must(err)
		}
		execute(trigger)
		b := r.Files(20)[0]
		rec := recording(&b)
		rec.FollowUp.Finished = 20
		for no := int64(2); no <= 20; no++ {
			next := rec.Results[0]
			next.File = no
			rec.Results = append(rec.Results, next)
		}
		var log bytes.Buffer
		logger := outage.Share(slog.New(slog.NewTextHandler(&log, nil)))
		recorder := New(r.Store, Options{MaxItems: 1000, Flushers: 1, Log: logger})
		t.Cleanup(func() { r.Must(recorder.Close(context.Background())) })
		for range 3 {
			if _, err := recorder.Record(t.Context(), rec); !db.IsRejected(err) {
				t.Fatalf("recorded with %v", err)
			}
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 1 || !strings.Contains(lines[0], "look for a constraint or a trigger") || !strings.Contains(lines[0], "closed by the test") {
			t.Errorf("the log has %d lines: %s", len(lines), log.String())
		}
		if outage.Failing(logger, outage.Database) == nil {
			t.Error("those who wait do not learn that the database rejects the results")
		}
		execute("DROP TRIGGER closed")
		_, err := recorder.Record(t.Context(), rec)
		r.Must(err)
		if got := len(r.Results(1)); got != 20 {
			t.Errorf("%d results", got)
		}
	})
}

// A single recording does not wait for others.
func TestRecorderIsEager(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := transfertest.New(t, url, "name: t\nsteps: [{handler: any}]")
		batches := r.Files(1)
		reasons := make(chan batcher.Reason, 1)
		recorder := New(r.Store, Options{MaxItems: 1000, Flushers: 2, OnFlush: func(why batcher.Reason, _ int, _ time.Duration) { reasons <- why }})
		_, err := recorder.Record(t.Context(), recording(&batches[0]))
		r.Must(err)
		if why := <-reasons; why != batcher.ReasonIdle {
			t.Errorf("written because of %s", why)
		}
		r.Must(recorder.Close(t.Context()))
		r.Must(recorder.Close(t.Context()))
		if _, err := recorder.Record(t.Context(), recording(&batches[0])); !errors.Is(err, batcher.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// One completion has several results, of which the database rejects one: the others are recorded
// as they are, wherever the one is among them.
func TestRecorderFindsTheRejectedResult(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const files = 7
		r := transfertest.New(t, url, "name: t\nsteps: [{handler: any}]")
		r.Refuse()
		for bad := range int64(files) {
			r.Transfer = r.Create("name: t\nsteps: [{handler: any}]")
			b := r.Files(files)[0]
			recorder := New(r.Store, Options{MaxItems: 1000, Flushers: 2})
			rec := recording(&b)
			for no := int64(2); no <= files; no++ {
				rec.Results = append(rec.Results, rec.Results[0])
				rec.Results[no-1].File = no
			}
			rec.Results[bad].Output = "poison"
			rec.FollowUp = nil
			_, err := recorder.Record(t.Context(), rec)
			if e, is := errors.AsType[*RejectedError](err); !is || !slices.Equal(e.Files, []int64{bad + 1}) {
				t.Errorf("rejected is file %d, and the error is %v", bad+1, err)
			}
			got := r.Results(1)
			for no := int64(1); no <= files; no++ {
				if want := no == bad+1; (got[no].Code == handlers.CodeDatabaseRejected) != want || got[no].File != no {
					t.Errorf("rejected is file %d, and file %d has %+v", bad+1, no, got[no])
				}
			}
			r.Must(recorder.Close(t.Context()))
		}
	})
}
