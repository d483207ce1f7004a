package coprocess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// group is the jobs of a batch that one child can serve.
type group struct {
	pool *pool
	spec *spec
	jobs []*handlers.Job
}

func (g *group) add(job *handlers.Job) { g.jobs = append(g.jobs, job) }

// run gives the jobs to a child. When it fails in the middle, those without an answer go to
// another child: the job that was at work apart from the others, or when that is not known
// each half, until the job that is the reason is alone.
func (g *group) run(ctx context.Context) error {
	queue := [][]*handlers.Job{g.jobs}
	for len(queue) > 0 {
		jobs := queue[0]
		queue = queue[1:]
		c, err := g.pool.take(ctx, g.spec)
		if ctx.Err() != nil {
			if err == nil {
				c.kill()
			}
			return ctx.Err()
		}
		if err != nil { // no child starts: that is not the fault of any of the files
			finishAll(jobs, err)
			continue
		}
		again, err := g.try(ctx, c, jobs)
		if err != nil {
			return err
		}
		queue = append(again, queue...)
	}
	return nil
}

// try gives jobs to a child, and returns those that are to be tried again, with another one.
func (g *group) try(ctx context.Context, c *child, jobs []*handlers.Job) (again [][]*handlers.Job, err error) {
	r := &request{child: c, emitted: make(emissions)}
	defer func() { err = errors.Join(err, r.emitted.close()) }() // the child has answered, or has ended
	if r.jobs = r.emitted.folders(ctx, jobs); len(r.jobs) == 0 {
		g.pool.put(g.spec, c)
		return nil, nil
	}
	failed := r.serve(ctx)
	if failed == nil {
		g.pool.put(g.spec, c)
		return nil, nil
	}
	if ctx.Err() != nil {
		c.kill()
		return nil, ctx.Err()
	}
	verdict := r.stop(failed)
	if !r.heard && c.batches > 1 && errors.Is(failed, errEnded) { // it had died before it got them
		return [][]*handlers.Job{r.jobs}, nil
	}
	return r.parts(verdict), nil
}

func finishAll(jobs []*handlers.Job, err error) {
	for _, job := range jobs {
		if failed, ok := errors.AsType[*command.StartError](err); ok {
			job.SetStatus(failed.ExitCode, tasks.OutcomeError, failed.Code)
			job.Finish(handlers.RetryLater(failed.Code, err))
			continue
		}
		job.Finish(err)
	}
}

// request is one batch message and its answers.
type request struct {
	child   *child
	jobs    []*handlers.Job
	current *handlers.Job // at work, as far as the child says
	notes   []string      // what the child said that is of no use
	timer   *time.Timer
	emitted emissions
	heard   bool // the child has said something of it
}

// errSilent says that a child took longer than a file may.
var errSilent = errors.New("this file took longer than its time limit")

// serve sends the jobs and takes answers until the child is done with them. An error says why
// it is not; then the child is of no use any more.
func (r *request) serve(ctx context.Context) error {
	c := r.child
	c.number++
	c.batches++
	specs := make([]*spec, len(r.jobs))
	for i, job := range r.jobs {
		specs[i], _ = parse(job.Args()) // it was read before
		job.Start()
	}
	line := batchMessage(c.number, r.jobs, specs, r.emitted)
	go func() { _, _ = c.stdin.Write(line) }() // a child that does not read is silent, or gone
	r.timer = time.NewTimer(time.Hour)
	defer r.timer.Stop()
	var at *handlers.Job
	if len(r.jobs) == 1 {
		at = r.jobs[0]
	}
	r.work(at)
	defer c.stderr.of(nil)
	for {
		select {
		case m := <-c.messages:
			if m.err != nil {
				return m.err
			}
			if done := r.take(&m.message); done {
				return r.unanswered()
			}
		case <-r.timer.C:
			return errSilent
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// doneTime is how long a child may take to say that a batch is done once every job has its answer.
const doneTime = 5 * time.Second

// work notes which job is at work. Its own time runs then; without one, that of all jobs that
// are open.
func (r *request) work(job *handlers.Job) {
	r.current = job
	r.child.stderr.of(job)
	if job != nil {
		job.Start()
		r.limit(job.Timeout())
		return
	}
	all := r.open()
	if len(all) == 0 {
		r.limit(doneTime)
		return
	}
	var sum time.Duration
	for _, open := range all {
		if open.Timeout() == 0 {
			sum = 0
			break
		}
		sum += open.Timeout()
	}
	r.limit(sum)
}

func (r *request) limit(d time.Duration) {
	r.timer.Stop()
	if d > 0 {
		r.timer.Reset(d)
	}
}

// take takes one message, and reports whether it is the last of the batch.
func (r *request) take(m *message) (done bool) {
	switch m.Type {
	case typeStarted, typeProgress, typeEmit, typeResult, typeDone:
	default:
		return false // of a later version, or an answer to an earlier ping
	}
	if m.Batch != r.child.number {
		r.notef("a message of type %s for batch %d, which is not at work", m.Type, m.Batch)
		return false
	}
	r.heard = true
	if m.Type == typeDone {
		return true
	}
	var job *handlers.Job
	if m.Job != nil {
		if n := *m.Job; n < 1 || n > len(r.jobs) {
			r.notef("a message of type %s for job %d, which is not in the batch", m.Type, n)
			return false
		}
		job = r.jobs[*m.Job-1]
	}
	switch {
	case m.Type == typeStarted && (job == nil || !job.IsDone()):
		if job != nil || len(r.jobs) > 1 {
			r.work(job)
		}
	case m.Type == typeStarted:
	case job == nil:
		r.notef("a message of type %s without a job", m.Type)
	case job.IsDone():
		r.notef("a message of type %s after the answer for job %d", m.Type, *m.Job)
	case m.Type == typeProgress:
		job.SetProgress(m.Progress)
	case m.Type == typeEmit:
		r.emitted.add(job, m)
	default:
		answer(job, m, r.emitted)
		if r.current == job || r.current == nil {
			r.work(nil)
		}
	}
	return false
}

// maxNotes is how many notes are kept.
const maxNotes = 5

func (r *request) notef(format string, args ...any) {
	if len(r.notes) < maxNotes {
		r.notes = append(r.notes, fmt.Sprintf(format, args...))
	}
}

// answer ends a job as the child says.
func answer(job *handlers.Job, m *message, emitted emissions) {
	job.WriteOutput([]byte(m.Output))
	job.WriteError([]byte(m.Error))
	outcome := tasks.Outcome(m.Outcome)
	switch {
	case outcome == "" && m.ExitCode == 0:
		outcome = tasks.OutcomeSucceeded
	case outcome == "":
		outcome = tasks.OutcomeFailed
	case outcome == tasks.OutcomeCanceled:
		outcome = "" // only a person cancels
	}
	job.SetStatus(m.ExitCode, outcome, m.Code)
	if err := setFacts(job, m.Facts); err != nil {
		job.Finish(handlers.Fail(CodeBadProtocol, err))
		return
	}
	if err := emitted.emit(job); err != nil {
		job.Finish(err)
		return
	}
	job.Done()
}

func setFacts(job *handlers.Job, text []byte) error {
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	members, err := orderedMembers(text)
	if err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	for _, m := range members {
		if err := job.SetFact(m.name, m.value); err != nil {
			return err
		}
	}
	return nil
}

// unanswered ends the jobs for which a batch that is done has no answer.
func (r *request) unanswered() error {
	message := "the child process ended the batch without an answer for this file"
	if len(r.notes) > 0 {
		message += "; it sent " + strings.Join(r.notes, "; ")
	}
	for _, job := range r.open() {
		job.Finish(handlers.RetryLater(CodeNoAnswer, errors.New(message)))
	}
	if len(r.notes) > 0 {
		r.child.batches = maxBatchesReached // all have an answer, but nothing more is given to it
	}
	return nil
}

// maxBatchesReached makes a pool let go of a child.
const maxBatchesReached = 1 << 30

func (r *request) open() []*handlers.Job {
	return slices.DeleteFunc(slices.Clone(r.jobs), (*handlers.Job).IsDone)
}

// stop ends the child, and says what became of the file that is the reason.
func (r *request) stop(failed error) error {
	c := r.child
	if errors.Is(failed, errSilent) {
		c.kill()
		return &handlers.Verdict{Outcome: tasks.OutcomeTimedOut, Code: handlers.CodeTimeout, Err: failed}
	}
	if _, ok := errors.AsType[*nonsenseError](failed); ok {
		c.kill()
		return handlers.RetryLater(CodeBadProtocol, fmt.Errorf("%s: %w%s", c.name, failed, c.stderr.tail()))
	}
	state := c.stop(drainTime)
	if state == nil {
		return handlers.RetryLater(CodeBadProtocol, fmt.Errorf("%s: %w%s", c.name, failed, c.stderr.tail()))
	}
	code := fmt.Sprintf("exit-%d", state.ExitCode())
	if name, _, ok := command.KilledBy(state); ok {
		code = "signal-" + name
	}
	return handlers.RetryLater(code, fmt.Errorf("%s: the child process ended in the middle of this file: %v%s",
		c.name, state, c.stderr.tail()))
}

// parts says in which requests the jobs without an answer are tried again. One that was alone
// gets the verdict.
func (r *request) parts(verdict error) [][]*handlers.Job {
	open := r.open()
	switch len(open) {
	case 0:
		return nil
	case 1:
		if len(r.jobs) == 1 {
			open[0].Finish(verdict)
			return nil
		}
		return [][]*handlers.Job{open} // answers of others came between: try it alone
	}
	if r.current != nil && !r.current.IsDone() {
		rest := slices.DeleteFunc(open, func(job *handlers.Job) bool { return job == r.current })
		return [][]*handlers.Job{rest, {r.current}}
	}
	return [][]*handlers.Job{open[:len(open)/2], open[len(open)/2:]}
}
