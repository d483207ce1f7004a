package handlers

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// recording ends a batch of one file well.
func recording(b *tasks.Batch) *ledger.BatchCompletion {
	now := time.Now()
	no := b.Files[0].First
	return &ledger.BatchCompletion{
		Batch:   b,
		Results: []tasks.Result{{Step: b.Step, File: no, Outcome: tasks.OutcomeSucceeded, Attempt: 1, StartedAt: now, EndedAt: now}},
		Next:    func(tasks.Ranges) ledger.FollowUp { return ledger.FollowUp{Finished: 1} },
	}
}

// Many share one transaction; what is wrong with one is told to that one alone.
func TestRecorderTellsEachItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newRig(t, url, "name: t\nsteps: [{handler: any, batch: {max_items: 1}}]")
		r.refuse()
		batches := r.files(30)
		for i := range batches {
			if i%3 == 0 {
				r.must(r.store.ReleaseBatch(t.Context(), &batches[i])) // somebody else's from here on
			}
		}
		var recorded sync.WaitGroup
		for i := range batches {
			rec := recording(&batches[i])
			if i%3 == 1 {
				rec.Results[0].Output = "poison"
			}
			recorded.Go(func() {
				err := r.recorder.Record(t.Context(), rec)
				if stale := i%3 == 0; stale != errors.Is(err, ledger.ErrLeaseLost) || !stale && err != nil {
					t.Errorf("recording %d: %v", i, err)
				}
				if i%3 == 1 && rec.Results[0].Code != CodeDatabaseRejected {
					t.Errorf("recording %d is not told that it was refused", i)
				}
			})
		}
		recorded.Wait()
		got := r.results(1)
		if len(got) != 20 {
			t.Errorf("%d results, want 20", len(got))
		}
		tr, err := r.store.TransferByID(t.Context(), r.transfer.ID)
		r.must(err)
		if tr.Finished != 20 || tr.Steps[0].Succeeded != 10 || tr.Steps[0].Error != 10 {
			t.Errorf("%d finished, counted %+v", tr.Finished, tr.Steps[0])
		}
	})
}

// While the database is away results are held; when it is back they are
// committed, and nobody has been charged for it.
func TestRecorderWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	url := testkit.MySQL(t)
	proxy := testkit.Proxy(t, url)
	r := newRig(t, proxy.URL(), "name: t\nsteps: [{handler: any, retry: {attempts: 2}}, {handler: any, name: again}]")
	away := make(chan struct{})
	r.handle("any", func(_ context.Context, jobs []*Job) error {
		if jobs[0].Step() == 1 {
			proxy.Down()
			close(away)
		}
		return nil
	})
	batches := r.files(20)
	answer := make(chan error, 1)
	w := r.worker("w")
	go func() { answer <- r.deliver(w, &batches[0]) }()
	<-away
	// Several tries fail before it is back.
	time.AfterFunc(time.Second, proxy.Up)
	r.must(<-answer)
	r.finish(w)
	r.audit()
	if got := r.tries(); len(got) > 0 {
		t.Errorf("charged %q", got)
	}
	for no, res := range r.results(1) {
		if res.Attempt != 1 {
			t.Errorf("file %d has attempt %d", no, res.Attempt)
		}
	}
}

// What cannot be written by the time that Close has is failed, not kept for ever.
func TestRecorderCloseGivesUp(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	r := newRig(t, proxy.URL(), "name: t\nsteps: [{handler: any}]")
	batches := r.files(1)
	recorder := NewRecorder(r.store, RecorderOptions{})
	proxy.Down()
	answer := make(chan error, 1)
	go func() { answer <- recorder.Record(context.Background(), recording(&batches[0])) }()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// Closing may come before the recording: then that is refused at once.
	if err := recorder.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	if err := <-answer; err == nil {
		t.Error("recorded without a database")
	}
	r.must(recorder.Close(context.Background()))
	proxy.Up()
	if got := r.results(1); len(got) > 0 {
		t.Errorf("recorded %+v", got)
	}
}

// A worker that stops while the database is away hands its batch back; whoever
// comes next runs it.
func TestStopWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	r := newRig(t, proxy.URL(), "name: t\nsteps: [{handler: any, retry: {attempts: 2}}]")
	first := r.worker("first")
	r.handle("any", func(_ context.Context, jobs []*Job) error {
		if jobs[0].spec.worker == "first" {
			proxy.Down()
			first.Stop()
		}
		return nil
	})
	batches := r.files(5)
	if err := r.deliver(first, &batches[0]); err == nil {
		t.Error("acknowledged what is not recorded")
	}
	proxy.Up()
	r.finish(r.worker("second"))
	r.audit()
	if got := r.tries(); len(got) > 0 {
		t.Errorf("charged %q", got)
	}
}

// A single recording does not wait for company.
func TestRecorderIsEager(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newRig(t, url, "name: t\nsteps: [{handler: any}]")
		batches := r.files(1)
		reasons := make(chan batcher.Reason, 1)
		recorder := NewRecorder(r.store, RecorderOptions{OnFlush: func(why batcher.Reason, _ int, _ time.Duration) { reasons <- why }})
		r.must(recorder.Record(t.Context(), recording(&batches[0])))
		if why := <-reasons; why != batcher.ReasonIdle {
			t.Errorf("written because of %s", why)
		}
		r.must(recorder.Close(t.Context()))
		r.must(recorder.Close(t.Context()))
		if err := recorder.Record(t.Context(), recording(&batches[0])); !errors.Is(err, batcher.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
