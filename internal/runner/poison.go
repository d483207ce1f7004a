package runner

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// When a worker crashes, it is unknown which of its files caused it. So its batches are
// split, and each file runs alone on its worker, counted as a crash before it starts. A
// file fails only when it crashed its worker while alone.

// suspect reports whether a worker crashed while it ran this file and no other of
// the batch. Larger batches are split before they run.
func (r *batchRun) suspect() bool { return r.batch.Crashes > 0 }

// isPoisoned reports whether a suspect has crashed as many workers as it has attempts:
// at least once alone, and before that in batches of which it was one file.
func (r *batchRun) isPoisoned() bool {
	b := r.batch
	return b.Crashes >= 2 && b.Crashes+b.InheritedCrashes >= r.retry.Attempts
}

// inheritCrashes says of the parts of a batch which crashes they come from. A single
// file that was in two batches that crashed is a suspect at once. One that was in a
// single batch first runs beside others, because most batches whose worker died hold no
// such file, and running each of theirs alone would be slow.
func inheritCrashes(b *tasks.Batch, parts []tasks.Batch) {
	for i := range parts {
		p := &parts[i]
		p.InheritedCrashes = b.InheritedCrashes + b.Crashes
		if p.Items() == 1 && p.InheritedCrashes > 1 {
			p.Crashes = 1
			p.InheritedCrashes--
		}
	}
}

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
