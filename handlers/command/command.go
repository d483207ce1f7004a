// Package command runs a program for a job.
package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// The codes that a program's end gives a job, beside "exit-N" and "signal-NAME".
const (
	CodeCommandNotFound     = "command-not-found"     // no such program on this worker
	CodeCommandNotPermitted = "command-not-permitted" // there is one, but the worker may not run it
	CodeCommandNotStarted   = "command-not-started"   // the system had no room for another process
)

// Command runs a program for a job, with empty standard input. See Program. A function
// given to handlers.PerFile can be as short as
//
//	return command.Command(ctx, job, "clamdscan", "--fdpass", job.File().Path)
func Command(ctx context.Context, job *handlers.Job, name string, args ...string) error {
	return Program{Name: name, Args: args}.Run(ctx, job)
}

// Program is a child process to run for a job. Only Name is needed.
type Program struct {
	Name string   // looked for in PATH unless it has a slash
	Args []string // passed on as they are: no shell reads them

	// Stdin is the program's standard input; empty when nil. An *os.File, such
	// as Job.Open gives, is handed over as it is, which is fastest.
	Stdin io.Reader

	Dir string   // folder to run in; this process's own when empty
	Env []string // as os.Environ gives it; this process's own when nil

	Limits Limits

	// KillAfter is how long the program may take to end when ctx has ended:
	// 2 s when zero. A handler that takes longer than five in all is left alone.
	KillAfter time.Duration
}

// killAfter leaves time to kill the program and to wait for its end, before the worker
// abandons the handler.
const killAfter = 2 * time.Second

// DefaultTimeout is the time limit of handlers that run programs, to end one that hangs,
// unless the recipe or the site says otherwise.
const DefaultTimeout = time.Hour

// Run waits for the program's end and gives the job its verdict: succeeded for exit
// code 0, failed with code "exit-N" for another exit code, tasks.OutcomeError with code
// "signal-NAME" when a signal killed the program, for example when memory ran out, and
// tasks.OutcomeError when it could not be started. Its standard output and error become
// the job's output and error output while it runs. Run returns an error for everything
// but exit code 0. A function given to PerFile can return that error as it is.
//
// When Args or Env contain the path of the job's file, the file is opened first, as by
// Job.Open: the error is that of Job.Open when it lies outside the folders that may be
// read, or is no regular file, and the program does not run. An object is copied to this
// host, and the program is told the path of the copy, see Job.CopyLocally.
//
// The program leads a process group. When ctx ends, SIGTERM goes to the group, after
// KillAfter SIGKILL, and Run returns the error of ctx without a verdict. Processes of
// the group that outlive the program are killed. On Linux the program also dies with
// this process; its own children do not.
func (p Program) Run(ctx context.Context, job *handlers.Job) error {
	if ctx.Err() != nil {
		return p.interrupted(ctx)
	}
	p, done, err := p.confine(ctx, job)
	if err != nil {
		return err
	}
	defer done()
	end, err := p.RunTo(ctx, sink(job.WriteOutput), sink(job.WriteError))
	if failed, ok := errors.AsType[*StartError](err); ok {
		job.SetStatus(failed.ExitCode, tasks.OutcomeError, failed.Code)
		return handlers.RetryLater(failed.Code, err)
	}
	if err != nil {
		return err
	}
	return p.judge(job, end)
}

// RunTo runs the program for no job in particular, with its output going to two writers,
// whose errors do not end it. It returns how the program ended, or a *StartError, the error
// of ctx when that ended first, or that of reading Stdin. It checks no paths.
func (p Program) RunTo(ctx context.Context, stdout, stderr io.Writer) (*os.ProcessState, error) {
	if ctx.Err() != nil {
		return nil, p.interrupted(ctx)
	}
	stdin := &input{Reader: p.Stdin}
	c, err := p.start(stdin, stdout, stderr)
	if err != nil {
		return nil, err
	}
	wasInterrupted := p.await(ctx, c)
	err = c.reap()
	if wasInterrupted {
		return nil, p.interrupted(ctx)
	}
	if err := stdin.failure(); err != nil {
		// The program has read only half of the input, so its result does not count.
		return nil, handlers.RetryLater(handlers.CodeIO, fmt.Errorf("%s: standard input: %w", p.Name, err))
	}
	if c.cmd.ProcessState == nil { // the error of waiting matters only when there is no end to see
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return c.cmd.ProcessState, nil
}

func (p Program) start(stdin *input, stdout, stderr io.Writer) (*child, error) {
	limited, err := p.withLimits()
	if err != nil {
		return nil, p.notStarted(err)
	}
	c, err := startChild(limited.command(stdin, stdout, stderr))
	if err != nil {
		return nil, p.notStarted(err)
	}
	return c, nil
}

func (p Program) command(stdin *input, stdout, stderr io.Writer) *exec.Cmd {
	cmd := exec.Command(p.Name, p.Args...) //nolint:noctx // Run sees to ctx
	cmd.Dir, cmd.Env = p.Dir, p.Env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	switch f, ok := p.Stdin.(*os.File); {
	case ok:
		cmd.Stdin = f
	case p.Stdin != nil:
		cmd.Stdin = stdin
	}
	// A process that has left the group may keep the streams open indefinitely.
	cmd.WaitDelay = time.Second
	return cmd
}

// await returns when the program has ended, and reports whether ctx ended first.
func (p Program) await(ctx context.Context, c *child) (interrupted bool) {
	select {
	case <-c.ended:
		return false
	case <-ctx.Done():
	}
	c.terminate()
	t := time.NewTimer(cmp.Or(p.KillAfter, killAfter))
	defer t.Stop()
	select {
	case <-c.ended:
	case <-t.C:
		c.kill()
		<-c.ended
	}
	return true
}

func (p Program) interrupted(ctx context.Context) error {
	return fmt.Errorf("%s: %w", p.Name, ctx.Err())
}

// StartError says that a program could not be started.
type StartError struct {
	ExitCode int    // as a shell gives it
	Code     string // CodeCommandNotFound, CodeCommandNotPermitted or CodeCommandNotStarted
	Err      error
}

func (e *StartError) Error() string { return e.Err.Error() }

// Unwrap gives the error beneath.
func (e *StartError) Unwrap() error { return e.Err }

func (p Program) notStarted(err error) error {
	e := &StartError{ExitCode: 1, Code: CodeCommandNotStarted, Err: fmt.Errorf("run %s: %w", p.Name, err)}
	switch { // exit codes as a shell's
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		e.ExitCode, e.Code = 127, CodeCommandNotFound
		e.Err = fmt.Errorf("%w; %s", e.Err, InstallHint(filepath.Base(p.Name)))
	case errors.Is(err, fs.ErrPermission):
		e.ExitCode, e.Code = 126, CodeCommandNotPermitted
	}
	return e
}

// judge gives the verdict that a program's end means.
func (p Program) judge(job *handlers.Job, end *os.ProcessState) error {
	if name, number, ok := KilledBy(end); ok {
		code := "signal-" + name
		job.SetStatus(128+number, tasks.OutcomeError, code)
		return handlers.RetryLater(code, fmt.Errorf("%s: %v", p.Name, end))
	}
	if n := end.ExitCode(); n != 0 {
		code := fmt.Sprintf("exit-%d", n)
		job.SetStatus(n, tasks.OutcomeFailed, code)
		return handlers.Fail(code, fmt.Errorf("%s: %v", p.Name, end))
	}
	job.SetStatus(0, tasks.OutcomeSucceeded, "")
	return nil
}

// KilledBy returns the signal that ended a program, as "KILL" and its number, if one did.
func KilledBy(end *os.ProcessState) (name string, number int, ok bool) { return killedBy(end) }

// sink takes everything: a program that outlives its job is not to die of it.
type sink func([]byte)

func (s sink) Write(p []byte) (int, error) {
	s(p)
	return len(p), nil
}

// input remembers why reading failed. The program's copying goroutine may still read it
// when the program has ended.
type input struct {
	io.Reader

	failed atomic.Pointer[error]
}

func (in *input) Read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil { // no other code recovers on this goroutine
			n, err = 0, invoke.NewPanicError(r)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			in.failed.Store(&err)
		}
	}()
	return in.Reader.Read(p)
}

func (in *input) failure() error {
	if err := in.failed.Load(); err != nil {
		return *err
	}
	return nil
}
