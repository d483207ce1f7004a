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
// Jobs that will be retried are left to the batch's completion.
type partialFlush struct {
	run *batchRun

	mu      sync.Mutex
	waiting []*handlers.Job
	timer   *time.Timer
	stopped bool
	flushes sync.WaitGroup
	err     error // of a flush that failed for good

	// To be read once it has stopped.
	sent     map[int64]bool // files whose results went to the recorder
	rejected []int64        // files whose results the database rejected
}

func newPartialFlush(r *batchRun) *partialFlush {
	return &partialFlush{run: r, sent: make(map[int64]bool)}
}

// add takes a job that has just ended.
func (p *partialFlush) add(j *handlers.Job) {
	failpoint.Point(failpoint.HandlerHalfway)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	if p.waiting == nil {
		p.waiting = make([]*handlers.Job, 0, len(p.run.work))
	}
	p.waiting = append(p.waiting, j)
	if p.timer == nil {
		p.flushes.Add(1)
		p.timer = time.AfterFunc(p.run.options.FlushAfter, p.flush)
	}
}

// flush runs on the timer, which has added it to flushes.
func (p *partialFlush) flush() {
	defer p.flushes.Done()
	results := p.take()
	if len(results) == 0 {
		return
	}
	if err := p.record(context.Background(), results); err != nil {
		p.mu.Lock()
		p.err = errors.Join(p.err, err)
		p.mu.Unlock()
	}
}

func (p *partialFlush) take() []tasks.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	results := make([]tasks.Result, 0, len(p.waiting))
	for _, j := range p.waiting {
		if r := j.Result(); !p.run.isRetried(&r) {
			p.sent[r.File] = true
			results = append(results, r)
		}
	}
	p.waiting = nil
	return results
}

func (p *partialFlush) record(ctx context.Context, results []tasks.Result) error {
	ctx, cancel := p.run.recording(ctx)
	defer cancel()
	_, err := p.run.recorder.Record(ctx, &ledger.BatchCompletion{
		Batch: p.run.batch, Results: results, Reusable: p.run.reusable(results),
	})
	var rejected []int64
	if e, is := errors.AsType[*recorder.RejectedError](err); is {
		results, rejected, err = e.Results, e.Files, nil
	}
	if err != nil {
		return err
	}
	failpoint.Point(failpoint.SomeResultsCommitted)
	p.run.metrics.Recorded(p.run.registration.Name, results, 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rejected = append(p.rejected, rejected...)
	return nil
}

// stop waits for flushes under way; the rest is left to the batch's completion. An
// error means that results were not recorded, so this worker cannot complete the
// batch.
func (p *partialFlush) stop() error {
	p.mu.Lock()
	p.stopped = true
	if p.timer != nil && p.timer.Stop() {
		p.flushes.Done()
		p.timer = nil
	}
	p.mu.Unlock()
	p.flushes.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// flushAll records the finished jobs of a batch that is handed back.
func (p *partialFlush) flushAll(ctx context.Context) error {
	results := p.take()
	if len(results) == 0 {
		return nil
	}
	return p.record(context.WithoutCancel(ctx), results)
}

// isSent reports whether the result of a file went to the recorder.
func (p *partialFlush) isSent(file int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[file]
}

// drop forgets the jobs that are not recorded.
func (p *partialFlush) drop() {
	_ = p.stop() // the batch goes back also when the last flush failed
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = nil
}
