package runner

import "context"

// A worker that dies takes all that it has in hand with it, the guilty and
// their neighbours, and nobody is left to tell them apart. So what was lost in
// company makes a batch no more than a suspect: it comes back split, and each
// file that was lost on its own is run alone in its worker, and charged before
// it runs. Only those charges bring the verdict.

// suspect reports whether a worker died that had this file, and no other of the
// batch, in hand. Larger batches are split before they come to a run.
func (u *batchRun) suspect() bool { return u.batch.Crashes > 0 }

// isPoisoned reports whether every attempt of a suspect has cost a worker: the
// first may have been in company, at least one was alone.
func (u *batchRun) isPoisoned() bool { return u.batch.Crashes >= max(u.retry.Attempts, 2) }

// weight is how many slots the batch takes: all for a suspect, so that nobody
// else is running when it does what it is suspected of.
func (u *batchRun) weight() int64 {
	if u.suspect() && !u.poisoned {
		return int64(u.Slots)
	}
	return int64(u.registration.Slots.Of(u.Slots))
}

// countCrash counts the run of a suspect as a worker lost, before it is: afterwards
// there may be nobody who could. A batch that is closed takes the charge along;
// one that is handed back is discharged.
func (u *batchRun) countCrash(ctx context.Context) error {
	if !u.suspect() || u.poisoned {
		return nil
	}
	err := u.Store.CountCrash(ctx, u.batch)
	u.crashCounted = err == nil
	return err
}

// uncountCrash takes the charge back: the worker is alive.
func (u *batchRun) uncountCrash() {
	if u.crashCounted {
		u.batch.Crashes--
		u.crashCounted = false
	}
}
