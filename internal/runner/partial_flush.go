package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/tasks"
)

// partialFlush records finished jobs while slower ones of the same batch still run.
// Jobs that will be tried again are not finished: they wait for the close.
type partialFlush struct {
	run *batchRun

	mu      sync.Mutex
	waiting []*handlers.Job
	timer   *time.Timer
	stopped bool
	flights sync.WaitGroup
	err     error // of a flush that failed for good

	// To be read once it has stopped.
	sent    map[int64]bool // files whose results went to the recorder
	refused []int64        // files whose results the database refused
}

func newPartialFlush(u *batchRun) *partialFlush {
	return &partialFlush{run: u, sent: make(map[int64]bool)}
}

// done takes a job that has just ended.
func (e *partialFlush) done(j *handlers.Job) {
	failpoint.Point(failpoint.HandlerHalfway)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	if e.waiting == nil {
		e.waiting = make([]*handlers.Job, 0, len(e.run.work))
	}
	e.waiting = append(e.waiting, j)
	if e.timer == nil {
		e.flights.Add(1)
		e.timer = time.AfterFunc(e.run.FlushAfter, e.flush)
	}
}

// flush runs on the timer, which has counted it as a flight.
func (e *partialFlush) flush() {
	defer e.flights.Done()
	results := e.take()
	if len(results) == 0 {
		return
	}
	if err := e.record(context.Background(), results); err != nil {
		e.mu.Lock()
		e.err = errors.Join(e.err, err)
		e.mu.Unlock()
	}
}

func (e *partialFlush) take() []tasks.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.timer = nil
	results := make([]tasks.Result, 0, len(e.waiting))
	for _, j := range e.waiting {
		if r := j.Result(); !e.run.triedAgain(&r) {
			e.sent[r.File] = true
			results = append(results, r)
		}
	}
	e.waiting = nil
	return results
}

func (e *partialFlush) record(ctx context.Context, results []tasks.Result) error {
	ctx, cancel := e.run.recording(ctx)
	defer cancel()
	if err := e.run.Recorder.Record(ctx, &ledger.BatchCompletion{Batch: e.run.batch, Results: results}); err != nil {
		return err
	}
	failpoint.Point(failpoint.SomeResultsCommitted)
	e.run.Metrics.Recorded(e.run.registration.Name, results, 0)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = append(e.refused, recorder.RejectedFiles(results)...)
	return nil
}

// stop waits for flushes that are under way. What has not been flushed is left
// to the close. The error is about what was being flushed: those
// results are not recorded, so the batch cannot be closed by this worker.
func (e *partialFlush) stop() error {
	e.mu.Lock()
	e.stopped = true
	if e.timer != nil && e.timer.Stop() {
		e.flights.Done()
		e.timer = nil
	}
	e.mu.Unlock()
	e.flights.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// flushAll records what is finished of a batch that is handed back.
func (e *partialFlush) flushAll(ctx context.Context) error {
	results := e.take()
	if len(results) == 0 {
		return nil
	}
	return e.record(context.WithoutCancel(ctx), results)
}

// drop forgets what is not recorded.
func (e *partialFlush) drop() {
	_ = e.stop() // the batch goes back whatever became of the last flush
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = nil
}
