package runner

import "context"

// When a worker crashes, nobody can tell which of its files caused it. So its batches
// are split, and each file runs alone on its worker, counted as a crash before it
// starts. Only crashes while alone make a file fail.

// suspect reports whether a worker crashed while it ran this file and no other of
// the batch. Larger batches are split before they run.
func (r *batchRun) suspect() bool { return r.batch.Crashes > 0 }

// isPoisoned reports whether every attempt of a suspect crashed its worker: the
// first may have run beside other batches, at least one ran alone.
func (r *batchRun) isPoisoned() bool { return r.batch.Crashes >= max(r.retry.Attempts, 2) }

// weight returns the number of slots that the batch takes: all for a suspect, so that
// no other batch runs beside it.
func (r *batchRun) weight() int64 {
	if r.suspect() && !r.poisoned {
		return int64(r.options.Slots)
	}
	return int64(r.registration.Slots.Of(r.options.Slots))
}

// countCrash counts the run of a suspect as a crash before it starts: after a real
// crash nothing could count it. Completing the batch removes the count with its row;
// releasing the batch undoes the count.
func (r *batchRun) countCrash(ctx context.Context) error {
	if !r.suspect() || r.poisoned {
		return nil
	}
	err := r.store.CountCrash(ctx, r.batch, r.options.Worker)
	r.crashCounted = err == nil
	return err
}

// uncountCrash undoes the count: the worker is alive.
func (r *batchRun) uncountCrash() {
	if r.crashCounted {
		r.batch.Crashes--
		r.crashCounted = false
	}
}
