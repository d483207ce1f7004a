package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/tasks"
)

// stalledAttempts is how often at most a file is tried whose storage does not answer.
const stalledAttempts = 2

// isRetried reports whether a result is not final: another attempt may end
// differently, and the step's policy has one left.
func (r *batchRun) isRetried(result *tasks.Result) bool {
	most := r.retry.Attempts
	if result.Code == handlers.CodeStalled { // each attempt takes minutes, and leaves a thread behind
		most = min(most, stalledAttempts)
	}
	return result.Outcome.Retriable() && r.batch.Attempt < most &&
		result.Code != handlers.CodeWorkerCrashed && r.canceled.Err() == nil
}

// complete records the rest of the batch together with the batches that follow it,
// and enqueues those.
func (r *batchRun) complete(ctx context.Context, batchErr error) (err error) {
	done, next := r.conclude(batchErr)
	ctx, cancel := r.recording(ctx)
	defer cancel()
	ctx, span := r.options.Tracer.StartWith(ctx, func() (string, tracing.Attributes) {
		return "record", tracing.Attributes{"results": len(done.Results), "retried": len(done.FailedAttempts)}
	})
	defer func() { span.EndWith(err) }()
	result, recorded, rejected, err := r.closeBatch(ctx, done, next)
	if err != nil {
		return err
	}
	r.lap.Enter(tasks.TimeOther)
	failpoint.Point(failpoint.BatchClosed)
	r.settleFolders(ctx, done, rejected)
	r.metrics.Recorded(r.registration.Name, recorded, len(done.FailedAttempts))
	ctx = context.WithoutCancel(ctx)
	r.enqueue(ctx, result.Batches)
	failpoint.Point(failpoint.NextStepEnqueued)
	r.options.BatchEnded()
	if result.Completed {
		r.options.OnCompleted(ctx, r.batch.Transfer)
	}
	return nil
}

// closeBatch records a completion together with what follows the batch. It plans that
// again while the database answers that some files are recorded by another batch, or
// cannot be recorded as they ended. It also returns the results as they are recorded, and the files
// whose results were rejected.
func (r *batchRun) closeBatch(
	ctx context.Context, done *ledger.BatchCompletion, next *nextBatches,
) (result ledger.CompletionResult, recorded []tasks.Result, rejected []int64, err error) {
	recorded, rejected = done.Results, r.partial.rejected
	for {
		followUp := next.plan(done.RecordedElsewhere, rejected)
		done.FollowUp = &followUp
		result, err = r.recorder.Record(ctx, done)
		if e, is := errors.AsType[*ledger.RecordedElsewhereError](err); is {
			done.RecordedElsewhere = e.Files
			continue
		}
		if e, is := errors.AsType[*recorder.RejectedError](err); is {
			recorded, rejected = e.Results, slices.Concat(rejected, e.Files)
			done.Results = nil
			continue
		}
		return result, recorded, rejected, err
	}
}

// conclude collects the results that are not recorded yet, and the outcome of every
// file of the batch.
func (r *batchRun) conclude(batchErr error) (*ledger.BatchCompletion, *nextBatches) {
	done := &ledger.BatchCompletion{Batch: r.batch, Results: make([]tasks.Result, 0, len(r.jobs))}
	next := &nextBatches{batch: r.batch, entry: r.plan, ends: slices.Grow(r.known, len(r.jobs))}
	needFacts := r.plan.Recipe.NeedsFacts(r.batch.Step + 1)
	for i, j := range r.jobs {
		result := j.Result()
		end := fileOutcome{file: &r.work[i], outcome: result.Outcome, again: r.isRetried(&result)}
		if end.again {
			done.FailedAttempts = append(done.FailedAttempts, result)
			next.ends = append(next.ends, end)
			continue
		}
		if needFacts {
			end.facts = merge(r.facts[result.File], factsOf(&result))
		}
		// Check every job, not only those that the partial flush still holds: a job may
		// have ended since, or counted as retried until the transfer was canceled.
		if !r.partial.sent[result.File] {
			done.Results = append(done.Results, result)
		}
		next.ends = append(next.ends, end)
	}
	done.Reusable = r.reusable(done.Results)
	slices.SortFunc(next.ends, func(a, b fileOutcome) int { return cmp.Compare(a.file.No, b.file.No) })
	if len(done.FailedAttempts) > 0 {
		next.notBefore = r.now().Add(backoff.Jitter(r.retry.Delay(r.batch.Attempt)))
		// A handler that fails as a whole may do so because of one file.
		next.alone = batchErr != nil && r.batch.Attempt+1 >= r.retry.Attempts
	}
	return done, next
}

// factsOf reads back the facts of a job, which encoding/json wrote.
func factsOf(r *tasks.Result) map[string]any {
	if len(r.Facts) == 0 {
		return nil
	}
	var facts map[string]any
	if err := json.Unmarshal(r.Facts, &facts); err != nil {
		panic("runner: a job's facts are not JSON: " + err.Error())
	}
	return facts
}
