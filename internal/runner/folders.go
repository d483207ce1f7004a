package runner

import (
	"context"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
)

// A handler may have made folders for what it emits. What becomes of them, and of the marks beside
// them, depends on whose result is recorded in the end.

// settleFolders is called when the batch is complete: rejected are the files whose results the
// database did not take as they were.
func (r *batchRun) settleFolders(ctx context.Context, done *ledger.BatchCompletion, rejected []int64) {
	ctx, cancel := untilReleased(ctx)
	defer cancel()
	retried := make(map[int64]bool, len(done.FailedAttempts))
	for i := range done.FailedAttempts {
		retried[done.FailedAttempts[i].File] = true
	}
	for _, j := range r.jobs {
		no := j.File().No
		if retried[no] || done.RecordedElsewhere.Contains(no) || slices.Contains(rejected, no) {
			r.warnOfFolder(ctx, j, j.Superseded(ctx))
			continue
		}
		r.warnOfFolder(ctx, j, j.Recorded())
	}
}

// supersedeFolders is called for jobs that no later attempt looks after: another worker has taken
// the batch over, or their results are recorded and the batch goes back.
func (r *batchRun) supersedeFolders(ctx context.Context, which func(file int64) bool) {
	ctx, cancel := untilReleased(ctx)
	defer cancel()
	for _, j := range r.jobs {
		if which(j.File().No) {
			r.warnOfFolder(ctx, j, j.Superseded(ctx))
		}
	}
}

// releaseFolders is called when the batch goes back: the next attempt looks after them.
func (r *batchRun) releaseFolders(ctx context.Context) {
	for _, j := range r.jobs {
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
