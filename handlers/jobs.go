package handlers

import (
	"cmp"
	"errors"
	"maps"
	"strings"

	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Codes of results that no handler was asked for.
const (
	CodeBadCondition = "condition" // the step's condition cannot be evaluated for this file
	CodeBadArguments = "arguments" // the step's arguments cannot be rendered for this file
	CodeCanceled     = "canceled"  // a person canceled the transfer
)

// buildJobs makes a job of every file to do and returns those that the handler
// has to look at. The others end here: the scan could not read them, or the
// recipe cannot be applied to them.
func (u *batchRun) buildJobs(roots *Roots) (open []*Job) {
	step := u.plan.Step(u.batch.Step)
	begun := u.Now()
	u.jobs = make([]*Job, 0, len(u.work))
	open = make([]*Job, 0, len(u.work))
	all := make([]Job, len(u.work)) // of one batch, and let go together
	for i := range u.work {
		f := &u.work[i]
		facts := u.facts[f.No]
		args, argsErr := step.Args(f, facts)
		j := &all[i]
		j.spec = jobSpec{
			file: *f, args: args, facts: facts, capture: u.MaxOutput, opener: roots, onDone: u.partial.done,
			now: u.Now, step: u.batch.Step, attempt: u.batch.Attempt, worker: u.Worker,
			transfer: u.batch.Transfer, store: u.Store, metrics: u.Metrics,
		}
		j.start(begun)
		u.jobs = append(u.jobs, j)
		switch {
		case u.canceled.Err() != nil:
			finishCanceled([]*Job{j})
		case u.poisoned:
			j.finish(tasks.OutcomeError, CodeWorkerCrashed, "every worker that took this file alone died with it")
		case f.ScanError != "":
			code, reason, _ := strings.Cut(f.ScanError, ": ")
			j.finish(tasks.OutcomeFailed, code, cmp.Or(reason, code))
		case u.conditionError(step, f, facts) != nil:
			j.finish(tasks.OutcomeFailed, CodeBadCondition, u.conditionError(step, f, facts).Error())
		case argsErr != nil:
			j.finish(tasks.OutcomeFailed, CodeBadArguments, argsErr.Error())
		default:
			open = append(open, j)
		}
	}
	return open
}

// conditionError is why the step's condition could not be evaluated when the
// file was sent here, nil when it could.
func (u *batchRun) conditionError(step *recipe.Step, f *tasks.File, facts map[string]any) error {
	if !step.HasCondition() {
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
