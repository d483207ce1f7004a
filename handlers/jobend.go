package handlers

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// finish ends a job that is not done with a verdict that replaces its own, and
// a message for its error stream. It reports whether the job was still open.
func (j *Job) finish(outcome tasks.Outcome, code, message string) bool {
	exitCode := 0
	if outcome.StopsRecipe() {
		exitCode = 1
	}
	return j.conclude(newVerdict(exitCode, outcome, code), message)
}

// fail ends a job that is not done as err says.
func (j *Job) fail(err error) bool {
	v, message := verdictOf(err)
	return j.conclude(v, message)
}

// conclude keeps an exit code that the handler set itself, when v is a failure too.
func (j *Job) conclude(v verdict, message string) bool {
	return j.end(func() {
		if v.exitCode != 0 && j.verdict.exitCode != 0 {
			v.exitCode = j.verdict.exitCode
		}
		j.verdict = v
		if j.errors.midLine() && message != "" {
			message = "\n" + message
		}
		j.appendLocked(&j.errors, []byte(message))
	})
}

// abandon ends a job that is not done without a result: it is handed back, and
// whatever a late goroutine does to it has no effect.
func (j *Job) abandon() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	open := !j.done
	j.done = true
	return open
}

// end makes the last change and the job done, once; the first caller tells onDone.
func (j *Job) end(last func()) bool {
	if !j.close(last) {
		return false
	}
	if j.spec.onDone != nil {
		j.spec.onDone(j)
	}
	return true
}

func (j *Job) close(last func()) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		return false
	}
	if last != nil {
		last()
	}
	if j.verdict.outcome == "" {
		j.verdict.outcome = tasks.OutcomeSucceeded
	}
	j.ended = j.spec.now()
	if j.started.IsZero() {
		j.started = j.ended
	}
	j.done = true
	return true
}

func (j *Job) isDone() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

// decided reports whether the handler gave a verdict.
func (j *Job) decided() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.verdict.outcome != ""
}

// result is the job as it stands; final once it is done.
func (j *Job) result() tasks.Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := tasks.Result{
		Step:      j.spec.step,
		File:      j.spec.file.No,
		Outcome:   j.verdict.outcome,
		ExitCode:  j.verdict.exitCode,
		Code:      j.verdict.code,
		Facts:     j.facts.encode(),
		Attempt:   j.spec.attempt,
		Worker:    j.spec.worker,
		StartedAt: recordable(j.started),
		EndedAt:   recordable(j.ended),
	}
	var cutOutput, cutErrors bool
	r.Output, cutOutput = j.output.textOrNone()
	r.Error, cutErrors = j.errors.textOrNone()
	r.Truncated = cutOutput || cutErrors
	return r
}

// recordable is t as a database keeps it: UTC, microseconds.
func recordable(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
