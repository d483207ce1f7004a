package runner

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/handlers"
)

// begin notes that a batch is being run, until the function it gives is called.
func (r *Runner) begin(u *batchRun) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = make(map[*batchRun]struct{})
	}
	r.running[u] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.running, u)
		if len(r.running) == 0 && r.idle != nil {
			close(r.idle)
			r.idle = nil
		}
	}
}

// WaitIdle waits until no batch is in hand, or the worker stops. Somebody else must
// see to it that no new ones come.
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

// StopCanceled ends the batches in hand whose transfer a person has canceled.
// It asks the database once; call it every few seconds.
func (r *Runner) StopCanceled(ctx context.Context) error {
	r.mu.Lock()
	inHand := make(map[int64][]*batchRun)
	for u := range r.running {
		inHand[u.batch.Transfer] = append(inHand[u.batch.Transfer], u)
	}
	r.mu.Unlock()
	ids := make([]int64, 0, len(inHand))
	for id := range inHand {
		ids = append(ids, id)
	}
	canceled, err := r.Store.FilterCanceled(ctx, ids)
	if err != nil {
		return fmt.Errorf("stop canceled batches: %w", err)
	}
	for _, id := range canceled {
		for _, u := range inHand[id] {
			u.cancel()
		}
	}
	return nil
}

// finishCanceled ends jobs that nobody wants any more.
func finishCanceled(jobs []*handlers.Job) {
	for _, j := range jobs {
		j.Finish(errCanceled)
	}
}
