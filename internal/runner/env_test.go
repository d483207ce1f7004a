package runner

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/transfertest"
	"github.com/balerhq/baler/tasks"
)

// env is a transfer in a real database, with a queue that the test serves by
// hand: the test decides what runs when, and how often.
type env struct {
	*transfertest.Env
	registry *handlers.Registry
	recorder *recorder.Recorder
	flushes  atomic.Int64 // of the recorder
}

// newEnv makes a transfer under a recipe, see transfertest.New.
func newEnv(t *testing.T, url, yaml string) *env {
	t.Helper()
	r := &env{Env: transfertest.New(t, url, yaml), registry: &handlers.Registry{}}
	r.recorder = recorder.New(r.Store, recorder.Options{
		MaxItems: 1000, Flushers: 2, OnFlush: func(batcher.Reason, int, time.Duration) { r.flushes.Add(1) },
	})
	t.Cleanup(func() { r.Must(r.recorder.Close(context.Background())) })
	return r
}

// handle registers a handler.
func (r *env) handle(name string, h handlers.HandlerFunc, opts ...handlers.Option) {
	r.T.Helper()
	r.Must(r.registry.Register(name, h, opts...))
}

// worker makes a runner that records soon and waits for nobody, on a host that
// runs a few batches at a time, whatever this one does.
func (r *env) worker(name string, adjust ...func(*Options)) *Runner {
	r.T.Helper()
	o := Options{
		Store: r.Store, Queue: nowhere{}, Transfers: r.Transfers, Registry: r.registry, Recorder: r.recorder,
		Worker: name, Slots: 4, FlushAfter: time.Millisecond,
	}
	for _, f := range adjust {
		f(&o)
	}
	w, err := New(o)
	r.Must(err)
	r.T.Cleanup(func() { r.Must(w.Close()) })
	return w
}

// nowhere is a queue that takes everything and keeps nothing: batches are
// found in the ledger.
type nowhere struct{}

func (nowhere) EnqueueBatches(context.Context, []tasks.Batch) error { return nil }
func (nowhere) ReclaimOrphans(context.Context, []tasks.Batch, time.Duration) ([]tasks.Batch, error) {
	return nil, nil
}
func (nowhere) MissingBatches(_ context.Context, b []tasks.Batch) ([]tasks.Batch, error) {
	return b, nil
}
func (nowhere) Unheld(context.Context) ([]int64, error)                       { return nil, nil }
func (nowhere) Reclaim(context.Context, []tasks.Batch) ([]tasks.Batch, error) { return nil, nil }
func (nowhere) FirstQueued(_ context.Context, _ string, _ int64, files []queue.FileTask) (int, error) {
	return len(files), nil
}
func (nowhere) TakeOversized(context.Context, string) ([][]byte, error)       { return nil, nil }
func (nowhere) Promote(context.Context, *tasks.Batch) error                   { return nil }
func (nowhere) IsPromoted(context.Context, *tasks.Batch) (bool, error)        { return false, nil }
func (nowhere) RepairGroups(context.Context, string, []string) (int64, error) { return 0, nil }

// deliver hands a batch's message to a worker, as asynq does.
func (r *env) deliver(w *Runner, b *tasks.Batch) error {
	return w.ProcessTask(r.T.Context(), asynq.NewTask(tasks.TypeBatch, tasks.NewBatchMessage(b).Encode()))
}

// finish delivers whatever the ledger holds, retries at once, until it is empty.
func (r *env) finish(w *Runner) {
	r.T.Helper()
	const most = 1000
	for n := 0; ; {
		open := r.Open()
		if len(open) == 0 {
			return
		}
		for i := range open {
			if n++; n > most {
				r.T.Fatalf("the ledger is not empty after %d deliveries: %+v", most, open)
			}
			if open[i].Gathering {
				r.send(open[i])
				continue
			}
			r.Must(r.deliver(w, &open[i]))
		}
	}
}

// send replaces a gathering batch by one that is sent, as the dispatcher does.
func (r *env) send(b tasks.Batch) {
	r.T.Helper()
	b.Gathering = false
	r.Must(r.Store.CommitGathered(r.T.Context(), ledger.Gathered{Replaced: []int64{b.ID}, Batches: []tasks.Batch{b}}))
}

// audit checks that the transfer has completed with counters that equal the
// rows, and that nothing is left in the ledger.
func (r *env) audit() tasks.Transfer {
	r.T.Helper()
	tr, err := r.Store.TransferByID(r.T.Context(), r.Transfer.ID)
	r.Must(err)
	if tr.State != tasks.StateCompleted || tr.Finished != tr.Files {
		r.T.Errorf("transfer is %s with %d of %d files finished", tr.State, tr.Finished, tr.Files)
	}
	for _, s := range tr.Steps {
		var rows tasks.Counts
		for _, res := range r.Results(s.Number) {
			rows.Add(res.Outcome, 1)
		}
		if s.Counts != rows || s.Selected != rows.Total() {
			r.T.Errorf("step %s routed %d and counts %+v, its rows are %+v", s.Name, s.Selected, s.Counts, rows)
		}
	}
	if open := r.Open(); len(open) > 0 {
		r.T.Errorf("left in the ledger: %+v", open)
	}
	return tr
}

// tries reads the failed tries that are kept, as "file/attempt outcome code".
func (r *env) tries() []string {
	r.T.Helper()
	rows, err := r.DB().QueryContext(r.T.Context(), "SELECT file_no, attempt, outcome, code FROM attempts ORDER BY file_no, attempt")
	r.Must(err)
	defer rows.Close()
	var tries []string
	for rows.Next() {
		var file, attempt int64
		var outcome, code string
		r.Must(rows.Scan(&file, &attempt, &outcome, &code))
		tries = append(tries, fmt.Sprintf("%d/%d %s %s", file, attempt, outcome, code))
	}
	r.Must(rows.Err())
	return tries
}

// scanTime reads a time as either driver gives it.
type scanTime struct{ t *time.Time }

func (s scanTime) Scan(value any) (err error) {
	switch v := value.(type) {
	case time.Time:
		*s.t = v
	case []byte:
		*s.t, err = time.Parse("2006-01-02 15:04:05.999999", string(v))
	default:
		err = fmt.Errorf("a time as %T", value)
	}
	return err
}
func (nowhere) PauseQueues(context.Context, []string) ([]string, error) { return nil, nil }
func (nowhere) ResumeQueue(context.Context, string) error               { return nil }
