package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// track counts a batch as in flight until end is called.
func (r *Runner) track(run *batchRun) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = make(map[*batchRun]struct{})
	}
	r.running[run] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.running, run)
		if len(r.running) == 0 && r.idle != nil {
			close(r.idle)
			r.idle = nil
		}
	}
}

// isRunning reports whether a batch is in flight here.
func (r *Runner) isRunning(batch int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run := range r.running {
		if run.batch.ID == batch {
			return true
		}
	}
	return false
}

// HoldRunning records in the database that a live worker runs the batches in flight, and how
// far those files are that take long. Call it with each heartbeat.
func (r *Runner) HoldRunning(ctx context.Context) error {
	r.mu.Lock()
	held := make([]tasks.Batch, 0, len(r.running))
	for run := range r.running {
		held = append(held, tasks.Batch{ID: run.batch.ID, FencingToken: run.batch.FencingToken})
	}
	progress := r.progressLocked()
	r.mu.Unlock()
	if err := r.Store.HoldBatches(ctx, r.Worker, held); err != nil {
		return err
	}
	return r.Store.RecordProgress(ctx, progress)
}

// WaitIdle waits until no batch is in flight, or the worker stops. The caller ensures
// that no new ones arrive.
func (r *Runner) WaitIdle() {
	r.mu.Lock()
	if len(r.running) == 0 {
		r.mu.Unlock()
		return
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	select {
	case <-idle:
	case <-r.stopping.Done():
	}
}

// StopCanceled ends the batches in flight whose transfer was canceled. It queries
// the database once; call it every few seconds.
func (r *Runner) StopCanceled(ctx context.Context) error {
	r.mu.Lock()
	inFlight := make(map[int64][]*batchRun)
	for run := range r.running {
		inFlight[run.batch.Transfer] = append(inFlight[run.batch.Transfer], run)
	}
	r.mu.Unlock()
	ids := make([]int64, 0, len(inFlight))
	for id := range inFlight {
		ids = append(ids, id)
	}
	canceled, err := r.Store.CanceledAmong(ctx, ids)
	if err != nil {
		return fmt.Errorf("stop canceled batches: %w", err)
	}
	for _, t := range canceled {
		for _, run := range inFlight[t.ID] {
			run.cancel(canceledBy(t.DeadlineExceeded))
		}
	}
	return nil
}

// hold marks the message of a batch as held by this worker until done is called.
func (r *Runner) hold(batch int64) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inHand == nil {
		r.inHand = make(map[int64]int)
	}
	r.inHand[batch]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.inHand[batch]--; r.inHand[batch] == 0 {
			delete(r.inHand, batch)
		}
	}
}

// InHand lists the batches whose messages this worker holds, in any order.
func (r *Runner) InHand() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.inHand))
}
