package runner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"strings"
	"sync"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// build makes a job of every file to run and returns those for the handler. The
// others end here: the scan could not read them, the recipe cannot be applied
// to them, or they take over a result. The caller calls done when the handler has returned.
func (r *batchRun) build() (open []*handlers.Job, done func(), err error) {
	roots, done, err := r.openRoots()
	if err != nil {
		return nil, nil, err
	}
	step := r.plan.Step(r.batch.Step)
	begun := r.now()
	commands := r.commandAccess()
	unfit := make([]error, len(r.work))
	outputs := r.options.Outputs.ForTransfer(r.plan.UUID)
	argsOf := argsOf(step)
	r.jobs = handlers.NewJobs(len(r.work), func(i int) handlers.JobSpec {
		f := &r.work[i]
		facts := r.facts[f.No]
		args, err := argsOf(f, facts)
		if err != nil {
			unfit[i] = handlers.Fail(handlers.CodeBadTemplate, err)
		}
		return handlers.JobSpec{
			File: *f, Transfer: r.batch.Transfer, Step: r.batch.Step, Attempt: r.batch.Attempt, Worker: r.options.Worker,
			RunBefore: r.redelivered || r.batch.InheritedCrashes > 0,
			Args:      args, Facts: facts, MaxOutput: r.options.MaxOutput, Opener: handlers.OpenerFor(f, roots, outputs),
			Commands: commands, Started: begun,
			MaxCopy: r.options.MaxCopy, MinFree: r.options.MinFree,
			Outputs: outputs, Sources: r.plan.Sources,
			Timeout: r.timeouts.File, Patience: r.options.AbandonAfter,
			OnDone: r.ended, Now: r.now, EmittedBefore: r.emittedBefore, EmittedIn: r.emittedIn, TransferUUID: r.plan.UUID,
		}
	})
	r.live.Store(&r.jobs)
	open = make([]*handlers.Job, 0, len(r.work))
	for i, j := range r.jobs {
		if verdict := cmp.Or(r.verdictBefore(step, &r.work[i]), unfit[i]); verdict != nil {
			j.Finish(verdict)
			continue
		}
		// A file that has changed or is gone since it was registered is for the handler to judge.
		if result, ok := r.reuse.found[r.work[i].No]; ok && j.Unchanged() {
			j.TakeOver(&result)
			continue
		}
		open = append(open, j)
	}
	return open, done, nil
}

// argsOf gives the arguments of each file; all files share those that do not depend on it.
func argsOf(step *recipe.Step) func(*tasks.File, map[string]any) (any, error) {
	if step.ArgsTemplated() {
		return step.Args
	}
	args, err := step.Args(nil, nil)
	return func(*tasks.File, map[string]any) (any, error) { return args, err }
}

// commandAccess says whether the programs of the recipe may run. It is asked once a batch,
// and only by handlers that run programs.
func (r *batchRun) commandAccess() func() handlers.CommandAccess {
	return sync.OnceValue(func() handlers.CommandAccess {
		if r.options.Commands == nil {
			return handlers.CommandAccess{}
		}
		return r.options.Commands(r.plan.Recipe)
	})
}

// verdictBefore returns the verdict of a file that does not reach the handler, and nil
// for other files.
func (r *batchRun) verdictBefore(step *recipe.Step, f *tasks.File) error {
	if r.isCanceled() {
		return r.whyCanceled()
	}
	if r.canceledFiles.Contains(f.No) {
		return errFileCanceled
	}
	if r.poisoned {
		return errPoisoned
	}
	if f.ScanError != "" {
		code, reason, _ := strings.Cut(f.ScanError, ": ")
		return handlers.Fail(code, errors.New(cmp.Or(reason, code)))
	}
	if err := r.conditionError(step, f, r.facts[f.No]); err != nil {
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
	errDeadlineExceeded = &handlers.Verdict{
		Outcome: tasks.OutcomeCanceled, Code: handlers.CodeDeadlineExceeded,
		Err: errors.New("the deadline of the transfer passed before this file was finished"),
	}
	errFileCanceled = &handlers.Verdict{
		Outcome: tasks.OutcomeCanceled, Code: handlers.CodeCanceled,
		Err: errors.New("the file was canceled before this step ran it"),
	}
	errPoisoned = &handlers.Verdict{
		Outcome: tasks.OutcomeError, Code: handlers.CodeWorkerCrashed,
		Err: errors.New("every worker that ran this file alone crashed"),
	}
)

// canceledBy is the verdict of files whose transfer was canceled by a person, or by its deadline.
func canceledBy(deadline bool) error {
	if deadline {
		return errDeadlineExceeded
	}
	return errCanceled
}

// conditionError returns the error of evaluating the step's condition for the file. Routing
// has met it before, and sent the file here to end with it. The ledger keeps the file's step
// only, so the error comes from a second evaluation.
func (r *batchRun) conditionError(step *recipe.Step, f *tasks.File, facts map[string]any) error {
	if !step.HasCondition() {
		return nil
	}
	_, err := r.plan.Recipe.Next(step.Number-1, f, facts)
	if bad, ok := errors.AsType[*recipe.EvalError](err); ok && bad.Number == step.Number {
		return bad
	}
	return nil
}

// merge returns a map in which newer facts override older ones; it changes neither argument.
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

// emittedIn reports whether this step has made files of a file that lie below a folder.
func (r *batchRun) emittedIn(ctx context.Context, f *tasks.File, folder string) (bool, error) {
	asked := ledger.EmittedFolder{File: f.No, Path: folder}
	if known := r.emittedFolders.Load(); known != nil {
		if kept, ok := (*known)[asked]; ok {
			return kept, nil
		}
	}
	return emittedIn(ctx, r.store, r.batch.Transfer, r.batch.Step, asked)
}

// emittedBefore counts what was emitted from the same file from the sources.
func (r *batchRun) emittedBefore(ctx context.Context, f *tasks.File) (handlers.EmittedTotal, error) {
	e, err := r.store.EmittedFrom(ctx, r.batch.Transfer, f)
	return handlers.EmittedTotal(e), err
}
