package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// fileSize is the size of each file in bytes.
const fileSize = 1 << 20

// record is a batch of the ledger.
type record struct {
	tasks.Batch

	due    time.Time
	queued bool    // it waits in the queue
	worker *worker // that has taken it; nil while it waits
	lost   time.Time
}

// Backlogs implements dispatch.Store.
func (w *world) Backlogs(_ context.Context, after int64, _ int) ([]ledger.Backlog, error) {
	w.calls++
	if after >= w.backlog.Transfer || w.backlog.Cursor == w.backlog.Files {
		return nil, nil
	}
	return []ledger.Backlog{w.backlog}, nil
}

// FilesAfter implements dispatch.Store.
func (w *world) FilesAfter(_ context.Context, _, after int64, limit int, _ bool) ([]tasks.File, error) {
	w.calls++
	var files []tasks.File
	for no := after + 1; no <= w.backlog.Files && len(files) < limit; no++ {
		files = append(files, tasks.File{No: no, Size: fileSize})
	}
	return files, nil
}

// SumSizes implements dispatch.Store.
func (w *world) SumSizes(_ context.Context, _ int64, ranges []tasks.Range) ([]int64, error) {
	w.calls++
	var sums []int64
	for _, r := range ranges {
		if r.Last > w.backlog.Files {
			break
		}
		sums = append(sums, (r.Last-r.First+1)*fileSize)
	}
	return sums, nil
}

// CommitDispatch implements dispatch.Store.
func (w *world) CommitDispatch(_ context.Context, c ledger.Dispatch) (bool, error) {
	w.calls++
	if w.backlog.Cursor != c.From {
		return false, ledger.ErrCursorMoved
	}
	w.backlog.Cursor = c.To
	w.backlog.Bytes -= c.Bytes
	w.backlog.Open += len(c.Batches)
	for i := range c.Batches {
		w.batches++
		c.Batches[i].ID = int64(w.batches)
		w.ledger[c.Batches[i].ID] = &record{Batch: c.Batches[i], due: w.clock.now.Add(w.options.Resend)}
	}
	return false, nil
}

// DueBatches implements dispatch.Store.
func (w *world) DueBatches(_ context.Context, limit int) ([]tasks.Batch, error) {
	w.calls++
	var due []tasks.Batch
	for _, r := range w.ledger {
		if !w.clock.now.Before(r.due) {
			due = append(due, r.Batch)
		}
	}
	slices.SortFunc(due, func(a, b tasks.Batch) int { return int(a.ID - b.ID) })
	return due[:min(limit, len(due))], nil
}

// Reschedule implements dispatch.Store.
func (w *world) Reschedule(_ context.Context, ids []int64, by time.Duration, _ bool) error {
	w.calls++
	for _, id := range ids {
		if r := w.ledger[id]; r != nil {
			r.due = w.clock.now.Add(by)
		}
	}
	return nil
}

// BatchesByID implements dispatch.Store.
func (w *world) BatchesByID(_ context.Context, ids []int64, silence time.Duration) ([]tasks.Batch, error) {
	w.calls++
	var batches []tasks.Batch
	for _, id := range ids {
		if r := w.ledger[id]; r != nil && (r.worker == nil || r.worker.silentFor(w.clock.now) >= silence) {
			batches = append(batches, r.Batch)
		}
	}
	return batches, nil
}

// ReclaimBatches implements dispatch.Store.
func (w *world) ReclaimBatches(ctx context.Context, ids []int64, by time.Duration) error {
	return w.Reschedule(ctx, ids, by, true)
}

// AcquireLease implements dispatch.Store.
func (w *world) AcquireLease(_ context.Context, _, holder string, ttl time.Duration) (bool, error) {
	w.calls++
	if w.leader != holder && w.clock.now.Before(w.leadsUntil) {
		return false, nil
	}
	if w.leader != holder && !w.leaderDied.IsZero() && w.result.NewLeader == 0 {
		w.result.NewLeader = w.clock.now.Sub(w.leaderDied).Seconds()
	}
	w.leader, w.leadsUntil = holder, w.clock.now.Add(ttl)
	return true, nil
}
