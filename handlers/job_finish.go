package handlers

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// Finish ends a job that is not done: as it stands when err is nil, otherwise
// with the verdict of err, whose text goes into the job's error output. It
// reports whether the job was still open. It is for runners and tests; handlers
// call Done.
func (j *Job) Finish(err error) bool {
	if err == nil {
		return j.end(nil)
	}
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

// Abandon ends a job that is not done without a result, and reports whether it was
// open: its file runs again, and what a late goroutine does to this job has no
// effect. It is for runners and tests.
func (j *Job) Abandon() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	open := !j.done
	j.done = true
	return open
}

// end makes the last change and the job done, once; the first caller tells OnDone.
func (j *Job) end(last func()) bool {
	if !j.close(last) {
		return false
	}
	if j.spec.OnDone != nil {
		j.spec.OnDone(j)
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
	j.ended = j.spec.Now()
	if j.started.IsZero() {
		j.started = j.ended
	}
	j.done = true
	return true
}

// IsDone reports whether the job has ended.
func (j *Job) IsDone() bool {
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

// Result is the job as it stands; final once it is done.
func (j *Job) Result() tasks.Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := tasks.Result{
		Step:      j.spec.Step,
		File:      j.spec.File.No,
		Outcome:   j.verdict.outcome,
		ExitCode:  j.verdict.exitCode,
		Code:      j.verdict.code,
		Facts:     j.facts.encode(),
		Attempt:   j.spec.Attempt,
		Worker:    j.spec.Worker,
		StartedAt: recordable(j.started),
		EndedAt:   recordable(j.ended),
		Emitted:   j.emitted,
	}
	var cutOutput, cutErrors bool
	r.Output, cutOutput = j.output.textOrNone()
	r.Error, cutErrors = j.errors.textOrNone()
	r.Truncated = cutOutput || cutErrors
	if j.takenOver != nil {
		return takenOverAs(r, j.takenOver)
	}
	return r
}

// recordable is t as a database keeps it: UTC, microseconds.
func recordable(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
