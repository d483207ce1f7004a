package handlers

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// onEach runs a test on an empty database of each kind.
func onEach(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "baler.db"))
	})
	t.Run("mysql", func(t *testing.T) {
		t.Parallel()
		test(t, testkit.MySQL(t))
	})
}

// rig is a transfer in a real database, with a queue that the test serves by
// hand: what runs when, and how often, is the test's to say.
type rig struct {
	t        *testing.T
	url      string
	store    *store.Store
	registry *Registry
	catalog  *batcher.TransferCache
	recorder *Recorder
	transfer tasks.Transfer
	flushes  atomic.Int64 // of the recorder
}

// newRig makes a transfer under a recipe. Steps of which the recipe says
// nothing get batches of 100.
func newRig(t *testing.T, url, yaml string) *rig {
	t.Helper()
	r := &rig{t: t, url: url, registry: &Registry{}}
	var err error
	if r.store, err = store.Open(t.Context(), url, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.must(r.store.Close()) })
	_, err = r.store.Migrate(t.Context())
	r.must(err)
	r.catalog = batcher.NewTransferCache(r.store.TransferByID, func(s *recipe.Step) tasks.BatchPolicy {
		return tasks.BatchPolicy{MaxItems: s.Batch.MaxItems}.Overlay(tasks.BatchPolicy{MaxItems: 100})
	})
	r.recorder = NewRecorder(r.store, RecorderOptions{OnFlush: func(batcher.Reason, int, time.Duration) { r.flushes.Add(1) }})
	t.Cleanup(func() { r.must(r.recorder.Close(context.Background())) })
	r.transfer = r.create(yaml)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) create(yaml string) tasks.Transfer {
	r.t.Helper()
	parsed, err := recipe.Parse("test.yaml", []byte(yaml))
	r.must(err)
	n := store.NewTransfer{Name: "test", Via: tasks.ViaBulk, Queue: "default", Recipe: yaml, Sources: []string{"/"}}
	for _, s := range parsed.Steps {
		n.Steps = append(n.Steps, tasks.Step{Number: s.Number, Name: s.Name, Handler: s.Handler})
	}
	for _, s := range parsed.Finalizers {
		n.Finalizers = append(n.Finalizers, tasks.FinalizeStep{Number: s.Number, Name: s.Name, Handler: s.Handler})
	}
	tr, _, err := r.store.Create(r.t.Context(), n)
	r.must(err)
	return tr
}

// handle registers a handler.
func (r *rig) handle(name string, h HandlerFunc, opts ...Option) {
	r.t.Helper()
	r.must(r.registry.Register(name, h, opts...))
}

// worker makes a runner that records soon and waits for nobody, on a host that
// runs a few batches at a time, whatever this one does.
func (r *rig) worker(name string, adjust ...func(*RunnerOptions)) *Runner {
	r.t.Helper()
	o := RunnerOptions{
		Store: r.store, Queue: nowhere{}, Transfers: r.catalog, Registry: r.registry, Recorder: r.recorder,
		Worker: name, Slots: 4, FlushAfter: time.Millisecond,
	}
	for _, f := range adjust {
		f(&o)
	}
	w, err := NewRunner(o)
	r.must(err)
	r.t.Cleanup(func() { r.must(w.Close()) })
	return w
}

// nowhere is a queue that takes everything and keeps nothing: batches are
// found in the ledger.
type nowhere struct{}

func (nowhere) EnqueueBatches(context.Context, []tasks.Batch) error { return nil }
func (nowhere) ReclaimOrphans(context.Context, []tasks.Batch, time.Time) ([]tasks.Batch, error) {
	return nil, nil
}
func (nowhere) MissingBatches(_ context.Context, b []tasks.Batch) ([]tasks.Batch, error) {
	return b, nil
}
func (nowhere) GroupBacklog(context.Context, string, []string) (int64, error) { return 0, nil }
func (nowhere) RepairGroups(context.Context, string, []string) (int64, error) { return 0, nil }

// files registers n files, seals the transfer and cuts it into batches.
func (r *rig) files(n int) []tasks.Batch {
	r.t.Helper()
	files := make([]tasks.File, n)
	for i := range files {
		files[i] = tasks.File{Path: fmt.Sprintf("/data/f%04d.txt", i+1), Size: int64(i)}
	}
	return r.register(files)
}

func (r *rig) register(files []tasks.File) []tasks.Batch {
	r.t.Helper()
	r.must(r.store.AddFiles(r.t.Context(), store.FileBatch{Transfer: r.transfer.ID, Files: files}))
	_, err := r.store.Seal(r.t.Context(), r.transfer.ID)
	r.must(err)
	e, err := r.catalog.Get(r.t.Context(), r.transfer.ID)
	r.must(err)
	byStep := make(map[int][]tasks.File)
	c := ledger.Dispatch{Transfer: r.transfer.ID, To: int64(len(files))}
	for i := range files {
		if step := e.Route(0, &files[i], nil); step > 0 {
			byStep[step] = append(byStep[step], files[i])
			continue
		}
		c.Finished++
	}
	for no := range e.Recipe.Steps {
		c.Batches = append(c.Batches, batcher.PlanBatches(e, no+1, byStep[no+1], e.Policy(no+1))...)
	}
	_, err = r.store.CommitDispatch(r.t.Context(), c)
	r.must(err)
	return c.Batches
}

// deliver hands a batch's message to a worker, as asynq does.
func (r *rig) deliver(w *Runner, b *tasks.Batch) error {
	return w.ProcessTask(r.t.Context(), asynq.NewTask(tasks.TypeBatch, tasks.NewBatchMessage(b).Encode()))
}

// open lists the batches in the ledger.
func (r *rig) open() []tasks.Batch {
	r.t.Helper()
	open, err := r.store.OpenBatches(r.t.Context(), r.transfer.ID)
	r.must(err)
	return open
}

// finish delivers whatever the ledger holds, retries at once, until it is empty.
func (r *rig) finish(w *Runner) {
	r.t.Helper()
	const most = 1000
	for n := 0; ; {
		open := r.open()
		if len(open) == 0 {
			return
		}
		for i := range open {
			if n++; n > most {
				r.t.Fatalf("the ledger is not empty after %d deliveries: %+v", most, open)
			}
			r.must(r.deliver(w, &open[i]))
		}
	}
}

// results reads what is recorded of a step, by file.
func (r *rig) results(step int) map[int64]tasks.Result {
	r.t.Helper()
	lines, err := r.store.Results(r.t.Context(), r.transfer.ID, tasks.ResultFilter{Step: step}, tasks.ResultKey{}, 100_000)
	r.must(err)
	m := make(map[int64]tasks.Result, len(lines))
	for i := range lines {
		m[lines[i].File] = lines[i].Result
	}
	return m
}

// audit checks that the transfer has completed with counters that equal the
// rows, and that nothing is left in the ledger.
func (r *rig) audit() tasks.Transfer {
	r.t.Helper()
	tr, err := r.store.TransferByID(r.t.Context(), r.transfer.ID)
	r.must(err)
	if tr.State != tasks.StateCompleted || tr.Finished != tr.Files {
		r.t.Errorf("transfer is %s with %d of %d files finished", tr.State, tr.Finished, tr.Files)
	}
	for _, s := range tr.Steps {
		var rows tasks.Counts
		for _, res := range r.results(s.Number) {
			rows.Add(res.Outcome, 1)
		}
		if s.Counts != rows || s.Selected != rows.Total() {
			r.t.Errorf("step %s routed %d and counts %+v, its rows are %+v", s.Name, s.Selected, s.Counts, rows)
		}
	}
	if open := r.open(); len(open) > 0 {
		r.t.Errorf("left in the ledger: %+v", open)
	}
	return tr
}

// db is a connection of the test's own, past the store.
func (r *rig) db() *sql.DB {
	r.t.Helper()
	return testkit.Database(r.t, r.url)
}

// tries reads the failed tries that are kept, as "file/attempt outcome code".
func (r *rig) tries() []string {
	r.t.Helper()
	rows, err := r.db().QueryContext(r.t.Context(), "SELECT file_no, attempt, outcome, code FROM attempts ORDER BY file_no, attempt")
	r.must(err)
	defer rows.Close()
	var tries []string
	for rows.Next() {
		var file, attempt int64
		var outcome, code string
		r.must(rows.Scan(&file, &attempt, &outcome, &code))
		tries = append(tries, fmt.Sprintf("%d/%d %s %s", file, attempt, outcome, code))
	}
	r.must(rows.Err())
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
