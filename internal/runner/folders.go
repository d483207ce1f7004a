package runner

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// A handler may have made folders for what it emits. What becomes of them, and of the marks beside
// them, depends on whose result is recorded in the end.

// settleFolders is called when the batch is complete: rejected are the files whose results the
// database did not take as they were.
func (r *batchRun) settleFolders(ctx context.Context, done *ledger.BatchCompletion, rejected []int64) {
	retried := make(map[int64]bool, len(done.FailedAttempts))
	for i := range done.FailedAttempts {
		retried[done.FailedAttempts[i].File] = true
	}
	superseded := func(no int64) bool {
		return retried[no] || done.RecordedElsewhere.Contains(no) || slices.Contains(rejected, no)
	}
	r.supersedeFolders(ctx, superseded)
	for _, j := range r.jobs {
		if !superseded(j.File().No) {
			r.warnOfFolder(ctx, j, j.Recorded())
		}
	}
}

// supersedeFolders is called for jobs that no later attempt looks after: another worker has taken
// the batch over, or their results are recorded and the batch goes back.
func (r *batchRun) supersedeFolders(ctx context.Context, which func(file int64) bool) {
	var superseded []*handlers.Job
	var folders []ledger.EmittedFolder
	for _, j := range r.jobs {
		no := j.File().No
		if !which(no) {
			continue
		}
		superseded = append(superseded, j)
		for _, path := range j.MarkedFolders() {
			folders = append(folders, ledger.EmittedFolder{File: no, Path: path})
		}
	}
	ctx, cancel := untilReleased(ctx)
	defer cancel()
	known, err := r.store.EmittedIn(ctx, r.batch.Transfer, r.batch.Step, folders)
	if err != nil {
		r.log.WarnContext(ctx, "worker: which folders hold files of the transfer is unknown: those of attempts that do not count stay, "+
			"with the hidden files beside them", "error", err)
		r.releaseThese(ctx, superseded)
		return
	}
	r.emittedFolders.Store(&known)
	for _, j := range superseded {
		r.warnOfFolder(ctx, j, j.Superseded(ctx))
	}
}

// releaseFolders is called when the batch goes back: the next attempt looks after them.
func (r *batchRun) releaseFolders(ctx context.Context) {
	r.releaseThese(ctx, r.jobs)
}

func (r *batchRun) releaseThese(ctx context.Context, jobs []*handlers.Job) {
	for _, j := range jobs {
		r.warnOfFolder(ctx, j, j.Release())
	}
}

func (r *batchRun) warnOfFolder(ctx context.Context, j *handlers.Job, err error) {
	if err != nil {
		r.log.WarnContext(ctx, "worker: a folder that a handler made, or the hidden file beside it that notes the attempt, stays",
			"file", j.File().No, "error", err)
	}
}

// untilReleased is for what a worker still does for a batch that is no longer its own.
func untilReleased(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), ledger.ReleaseTime)
}

// sweepFolders is for files of a message that comes again and whose results are recorded. The
// worker that recorded them may have been killed before it removed the marks of their folders.
// Whether their files are known does not depend on it, so an error is only logged.
func (o *Options) sweepFolders(ctx context.Context, plan *dispatch.TransferPlan, step int, recorded tasks.Ranges) {
	if err := o.trySweep(ctx, plan, step, recorded); err != nil {
		o.Log.WarnContext(ctx, "worker: hidden files of a killed worker, beside the folders that a handler made, may stay",
			"transfer", plan.UUID, "step", step, "error", err)
	}
}

func (o *Options) trySweep(ctx context.Context, plan *dispatch.TransferPlan, step int, recorded tasks.Ranges) error {
	if recorded.Len() == 0 {
		return nil
	}
	bases, err := o.Store.EmissionBases(ctx, plan.ID, step, recorded)
	if err != nil || len(bases) == 0 {
		return err
	}
	files, err := o.Store.Files(ctx, plan.ID, tasks.NewRanges(slices.Collect(maps.Keys(bases))))
	if err != nil {
		return err
	}
	var errs []error
	for i := range files {
		job := handlers.NewJob(handlers.JobSpec{
			File: files[i], Transfer: plan.ID, TransferUUID: plan.UUID, Step: step, Sources: plan.Sources,
			Outputs: o.Outputs.ForTransfer(plan.UUID),
			EmittedIn: func(ctx context.Context, f *tasks.File, folder string) (bool, error) {
				return emittedIn(ctx, o.Store, plan.ID, step, ledger.EmittedFolder{File: f.No, Path: folder})
			},
		})
		for _, base := range bases[files[i].No] {
			errs = append(errs, job.SweepFolders(ctx, base))
		}
	}
	return errors.Join(errs...)
}

// emittedIn reports whether a folder holds files of the transfer.
func emittedIn(ctx context.Context, s *store.Store, transfer int64, step int, folder ledger.EmittedFolder) (bool, error) {
	kept, err := s.EmittedIn(ctx, transfer, step, []ledger.EmittedFolder{folder})
	return kept[folder], err
}
