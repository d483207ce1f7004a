package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// maxFactOutput is how much of a command's output facts are taken from.
const maxFactOutput = 4 << 20

var errTooMuch = errors.New("too much output")

// process is one run of a command.
type process struct {
	spec    *spec
	program command.Program
	cleanup func()
}

// newProcess prepares a run; the caller calls cleanup. Relative paths are of the folder of
// the recipe's file.
func newProcess(s *spec, job *handlers.Job) (*process, error) {
	access, err := job.CommandAccess()
	if err != nil {
		return nil, err
	}
	p := &process{spec: s, cleanup: func() {}}
	p.program = command.Program{Args: s.Command[1:], Limits: s.limits}
	if p.program.Name, err = command.Resolve(s.Command[0], access.Dir); err != nil {
		return nil, handlers.RetryLater(command.CodeCommandNotFound, err)
	}
	if p.program.Env, err = command.Environment(s.Env); err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	switch s.Dir {
	case "", emitPlace: // the folder of the file is made later
		if p.program.Dir = access.Dir; p.program.Dir == "" {
			p.program.Dir = os.TempDir()
		}
	case dirTemporary:
		dir, err := os.MkdirTemp("", "baler-exec-*")
		if err != nil {
			return nil, handlers.RetryLater(handlers.CodeIO, err)
		}
		p.program.Dir, p.cleanup = dir, func() { _ = os.RemoveAll(dir) } // the system cleans up what cannot be removed
	default:
		if p.program.Dir, err = command.ResolveFile(s.Dir, access.Dir); err != nil {
			return nil, handlers.Fail(handlers.CodeBadArgs, err)
		}
	}
	return p, nil
}

// localize copies an object to this host if the command is told its path, and has the command told
// the path of the copy.
func (p *process) localize(ctx context.Context, job *handlers.Job) (done func(), err error) {
	path := job.File().Path
	named := func(arg string) bool { return strings.Contains(arg, path) }
	if !tasks.IsObject(path) || !slices.ContainsFunc(p.program.Args, named) && !slices.ContainsFunc(p.program.Env, named) {
		return func() {}, nil
	}
	if done, err = job.CopyLocally(ctx); err == nil {
		p.program.Args, p.program.Env = job.Localize(p.program.Args), job.Localize(p.program.Env)
	}
	return done, err
}

// run runs the command, and ends it when it writes too much.
func (p *process) run(ctx context.Context, stdout, stderr io.Writer) (ending, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	budget := &atomic.Int64{}
	budget.Store(int64(p.spec.MaxOutput))
	limit := func(w io.Writer) io.Writer { return limited{w, budget, func() { cancel(errTooMuch) }} }
	end, err := p.program.RunTo(ctx, limit(stdout), limit(stderr))
	if budget.Load() < 0 { // also when the command ended before it could be ended
		return ending{1, tasks.OutcomeFailed, CodeOutputLimit, fmt.Sprintf("%s: wrote more than %d bytes (max_output), and was ended",
			p.spec.Command[0], p.spec.MaxOutput)}, nil
	}
	if err != nil {
		return ending{}, err
	}
	return p.spec.endingOf(end), nil
}

// limited counts what is written, and passes on what is within the budget.
type limited struct {
	io.Writer
	budget *atomic.Int64
	exceed func()
}

func (l limited) Write(b []byte) (int, error) {
	if l.budget.Add(-int64(len(b))) < 0 {
		l.exceed()
		return len(b), nil
	}
	_, _ = l.Writer.Write(b) // captures take everything
	return len(b), nil
}

// runFile runs the command for one file.
func runFile(ctx context.Context, job *handlers.Job) error {
	s, err := parse(job.Args())
	if err != nil {
		return err
	}
	p, err := newProcess(s, job)
	if err != nil {
		return err
	}
	defer p.cleanup()
	f, err := job.OpenChunk() // whatever the arguments name it by: only what may be read is worked on
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	if s.Stdin == stdinFile {
		p.program.Stdin = f
	}
	done, err := p.localize(ctx, job)
	if err != nil {
		return err
	}
	defer done()
	if s.Emit == "" {
		return p.finish(ctx, job, nil)
	}
	folder, err := job.MakeFolder(ctx, s.Emit)
	if err != nil {
		return err
	}
	p.placeEmit(folder.Path)
	return errors.Join(p.finish(ctx, job, folder), folder.Close())
}

// finish runs the command, and takes what it says and what it has written into the folder.
func (p *process) finish(ctx context.Context, job *handlers.Job, folder *handlers.FileFolder) error {
	s := p.spec
	output := &head{limit: maxFactOutput}
	stdout := job.Output()
	if s.facts != nil {
		stdout = io.MultiWriter(job.Output(), output)
	}
	e, err := p.run(ctx, stdout, job.ErrorOutput())
	if err != nil {
		return startVerdict(job, err)
	}
	if s.facts != nil && !e.outcome.StopsRecipe() {
		if output.cut {
			return badFacts(fmt.Errorf("the output is longer than %d bytes, from which facts are taken", maxFactOutput))
		}
		if err := s.facts.record(job, output.text); err != nil {
			return err
		}
	}
	if folder != nil && !e.outcome.StopsRecipe() {
		if err := emit(ctx, folder); err != nil {
			return err
		}
	}
	return e.verdict(job)
}

// verdict gives a job the ending of its command. The error is for PerFile, or for Finish.
func (e ending) verdict(job *handlers.Job) error {
	job.SetStatus(e.exitCode, e.outcome, e.code)
	if !e.outcome.StopsRecipe() {
		return nil
	}
	return &handlers.Verdict{Outcome: e.outcome, Code: e.code, Err: errors.New(e.message)}
}

// startVerdict is the verdict of a command that did not run.
func startVerdict(job *handlers.Job, err error) error {
	if failed, ok := errors.AsType[*command.StartError](err); ok {
		job.SetStatus(failed.ExitCode, tasks.OutcomeError, failed.Code)
		return handlers.RetryLater(failed.Code, err)
	}
	return err
}

// head keeps the beginning of what is written to it.
type head struct {
	text  []byte
	limit int
	cut   bool
}

func (h *head) Write(b []byte) (int, error) {
	n := min(len(b), h.limit-len(h.text))
	h.text, h.cut = append(h.text, b[:n]...), h.cut || n < len(b)
	return len(b), nil
}
