package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// triedAgain reports whether a result is not final: it may end differently,
// and the step's policy has an attempt left.
func (u *batchRun) triedAgain(r *tasks.Result) bool {
	return r.Outcome.Retriable() && u.batch.Attempt < u.retry.Attempts && r.Code != handlers.CodeWorkerCrashed && u.canceled.Err() == nil
}

// complete records what is left of the batch and what follows it, and sends that.
func (u *batchRun) complete(ctx context.Context, batchErr error) error {
	f := nextBatches{batch: u.batch, entry: u.plan, ends: slices.Grow(u.known, len(u.jobs))}
	results := make([]tasks.Result, 0, len(u.jobs))
	var tries []tasks.Result
	needFacts := u.plan.Recipe.NeedsFacts(u.batch.Step + 1)
	for i, j := range u.jobs {
		r := j.Result()
		end := fileOutcome{file: &u.work[i], outcome: r.Outcome, again: u.triedAgain(&r)}
		switch {
		case end.again:
			tries = append(tries, r)
		case needFacts:
			end.facts = merge(u.facts[r.File], factsOf(&r))
			fallthrough
		default:
			// The jobs are asked, not the early recorder: one that ended a moment
			// ago, or was to be tried again until a person canceled, is here too.
			if !u.partial.sent[r.File] {
				results = append(results, r)
			}
		}
		f.ends = append(f.ends, end)
	}
	slices.SortFunc(f.ends, func(a, b fileOutcome) int { return cmp.Compare(a.file.No, b.file.No) })
	if len(tries) > 0 {
		f.notBefore = u.Now().Add(sleep.Jitter(u.retry.Delay(u.batch.Attempt)))
		// A handler that fails as a whole may do so because of one file.
		f.alone = batchErr != nil && u.batch.Attempt+1 >= u.retry.Attempts
	}
	rec := &ledger.BatchCompletion{Batch: u.batch, Results: results, FailedAttempts: tries}
	rec.Next = func(foreign tasks.Ranges) ledger.FollowUp {
		return f.plan(foreign, append(u.partial.refused, recorder.RejectedFiles(results)...))
	}
	ctx, cancel := u.recording(ctx)
	defer cancel()
	if err := u.Recorder.Record(ctx, rec); err != nil {
		return err
	}
	failpoint.Point(failpoint.BatchClosed)
	u.Metrics.Recorded(u.registration.Name, results, len(tries))
	ctx = context.WithoutCancel(ctx)
	u.enqueue(ctx, rec.FollowUp.Batches)
	failpoint.Point(failpoint.NextStepEnqueued)
	u.BatchEnded()
	if rec.Completed {
		u.OnCompleted(ctx, u.batch.Transfer)
	}
	return nil
}

// factsOf reads back what a job has learnt; it was written by encoding/json.
func factsOf(r *tasks.Result) map[string]any {
	if len(r.Facts) == 0 {
		return nil
	}
	var facts map[string]any
	if err := json.Unmarshal(r.Facts, &facts); err != nil {
		panic("handlers: a job's facts are not JSON: " + err.Error())
	}
	return facts
}
