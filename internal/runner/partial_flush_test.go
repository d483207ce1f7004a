package runner

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Jobs end on many goroutines, just when the worker stops, the batch is taken
// away, or the handler returns without waiting for them: whatever comes first,
// each file has one result and is counted once.
func TestJobsThatEndInTheLastMoment(t *testing.T) {
	for name, interrupt := range map[string]func(r *env, w *Runner, b *tasks.Batch){
		"return": func(*env, *Runner, *tasks.Batch) {},
		"stop":   func(_ *env, w *Runner, _ *tasks.Batch) { w.Stop() },
		"taken":  func(r *env, _ *Runner, b *tasks.Batch) { r.lose(b) },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				for range 5 {
					r := newEnv(t, url, "name: t\nsteps: [{handler: racy, retry: {attempts: 2}}, {handler: next}]")
					var left sync.WaitGroup
					var batches []tasks.Batch
					first := r.worker("first", func(o *Options) { o.FlushAfter = time.Microsecond })
					r.handle("racy", func(ctx context.Context, jobs []*handlers.Job) error {
						if jobs[0].Result().Worker != "first" {
							return nil
						}
						for _, j := range jobs {
							left.Go(func() {
								if j.File().No%5 == 0 {
									j.SetStatus(1, tasks.OutcomeError, "busy")
								}
								j.Done()
							})
						}
						interrupt(r, first, &batches[0])
						return ctx.Err()
					})
					r.handle("next", func(context.Context, []*handlers.Job) error { return nil })
					batches = r.Files(100)
					if err := r.deliver(first, &batches[0]); err != nil && !errors.Is(err, errStopping) {
						t.Error(err)
					}
					left.Wait()
					r.finish(r.worker("second"))
					if got := r.audit().Finished; got != 100 {
						t.Errorf("%d files finished", got)
					}
				}
			})
		})
	}
}

// The database rejects the first partial flush, whatever it holds, and accepts everything
// afterwards. The batch must not complete without the results of that flush: it goes back,
// and its next delivery gives each file one result.
func TestPartialFlushThatFailsReturnsTheBatch(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const files = 5
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, retry: {attempts: 2}}, {handler: next}]")
		ended := 0
		first := r.worker("first", func(o *Options) { o.BatchEnded = func() { ended++ } })
		ran := make(map[int64]int)
		r.handle("slow", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				ran[j.File().No]++
			}
			if jobs[0].Result().Worker != "first" {
				return nil
			}
			accept := r.rejectResults()
			before := r.flushes.Load()
			jobs[0].Done()
			testkit.Eventually(t, time.Minute, func() error {
				if r.flushes.Load() == before {
					return errors.New("nothing is flushed early")
				}
				return nil
			})
			accept()
			return nil
		})
		r.handle("next", func(context.Context, []*handlers.Job) error { return nil })
		b := r.Files(files)[0]
		if err := r.deliver(first, &b); !db.IsRejected(err) {
			t.Errorf("the delivery whose flush failed was answered with %v", err)
		}
		// Later flushes may record the other files.
		if got, recorded := r.Results(1)[1]; recorded || ended > 0 {
			t.Errorf("the file of that flush: recorded %v, %+v; %d batches completed", recorded, got, ended)
		}
		if open := r.Open(); len(open) != 1 || open[0].ID != b.ID || open[0].Files.String() != b.Files.String() {
			t.Errorf("in the ledger: %+v, want the batch as it was", open)
		}
		r.finish(r.worker("second"))
		if tr := r.audit(); tr.Finished != files || tr.Steps[1].Selected != files {
			t.Errorf("%d of %d files finished, %d came to the second step", tr.Finished, files, tr.Steps[1].Selected)
		}
		got := r.Results(1)
		for no := int64(1); no <= files; no++ {
			if res := got[no]; res.Outcome != tasks.OutcomeSucceeded || res.Attempt != 1 {
				t.Errorf("file %d ended as %+v", no, res)
			}
		}
		if got[1].Worker != "second" || ran[1] != 2 {
			t.Errorf("the file of the failed flush ran %d times and ended as %+v", ran[1], got[1])
		}
		if tries := r.tries(); len(tries) > 0 {
			t.Errorf("charged %q", tries)
		}
	})
}

// rejectResults makes the database reject every result, until accept is called.
func (r *env) rejectResults() (accept func()) {
	r.T.Helper()
	execute := func(statement string) {
		_, err := r.DB().ExecContext(r.T.Context(), statement)
		r.Must(err)
	}
	if r.Store.Dialect() == db.MySQL {
		execute("CREATE TRIGGER closed BEFORE INSERT ON results FOR EACH ROW SIGNAL SQLSTATE '22003' SET MESSAGE_TEXT = 'closed by the test'")
	} else {
		execute("CREATE TRIGGER closed BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'closed by the test'); END")
	}
	return func() { execute("DROP TRIGGER closed") }
}
