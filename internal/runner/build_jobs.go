package runner

import (
	"cmp"
	"errors"
	"maps"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// buildJobs makes a job of every file to do and returns those that the handler
// has to look at. The others end here: the scan could not read them, or the
// recipe cannot be applied to them.
func (u *batchRun) buildJobs(roots *handlers.Roots) (open []*handlers.Job) {
	step := u.plan.Step(u.batch.Step)
	begun := u.Now()
	unfit := make([]error, len(u.work))
	u.jobs = handlers.NewJobs(len(u.work), func(i int) handlers.JobSpec {
		f := &u.work[i]
		facts := u.facts[f.No]
		args, err := step.Args(f, facts)
		if err != nil {
			unfit[i] = handlers.Fail(handlers.CodeBadArguments, err)
		}
		return handlers.JobSpec{
			File: *f, Transfer: u.batch.Transfer, Step: u.batch.Step, Attempt: u.batch.Attempt, Worker: u.Worker,
			Args: args, Facts: facts, MaxOutput: u.MaxOutput, Opener: roots, Started: begun, OnDone: u.partial.done, Now: u.Now,
		}
	})
	open = make([]*handlers.Job, 0, len(u.work))
	for i, j := range u.jobs {
		if verdict := cmp.Or(u.verdictBefore(step, &u.work[i]), unfit[i]); verdict != nil {
			j.Finish(verdict)
			continue
		}
		open = append(open, j)
	}
	return open
}

// verdictBefore is how a file ends that the handler does not get; nil when it does.
func (u *batchRun) verdictBefore(step *recipe.Step, f *tasks.File) error {
	if u.canceled.Err() != nil {
		return errCanceled
	}
	if u.poisoned {
		return errPoisoned
	}
	if f.ScanError != "" {
		code, reason, _ := strings.Cut(f.ScanError, ": ")
		return handlers.Fail(code, errors.New(cmp.Or(reason, code)))
	}
	if err := u.conditionError(step, f, u.facts[f.No]); err != nil {
		return handlers.Fail(handlers.CodeBadCondition, err)
	}
	return nil
}

// Verdicts of files that the handler does not get.
var (
	errCanceled = &handlers.Verdict{
		Outcome: tasks.OutcomeCanceled, Code: handlers.CodeCanceled,
		Err: errors.New("the transfer was canceled before this file was finished"),
	}
	errPoisoned = &handlers.Verdict{
		Outcome: tasks.OutcomeError, Code: handlers.CodeWorkerCrashed,
		Err: errors.New("every worker that took this file alone died with it"),
	}
)

// conditionError is why the step's condition could not be evaluated when the
// file was sent here, nil when it could.
func (u *batchRun) conditionError(step *recipe.Step, f *tasks.File, facts map[string]any) error {
	if step.Unconditional() {
		return nil
	}
	_, err := u.plan.Recipe.Next(step.Number-1, f, facts)
	if bad, ok := errors.AsType[*recipe.EvalError](err); ok && bad.Number == step.Number {
		return bad
	}
	return nil
}

// merge lays newer facts over older ones; neither is changed.
func merge(older, newer map[string]any) map[string]any {
	if len(older) == 0 {
		return newer
	}
	if len(newer) == 0 {
		return older
	}
	m := maps.Clone(older)
	maps.Copy(m, newer)
	return m
}
