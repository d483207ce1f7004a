//go:build unix

package command

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// ran gives the result of one job that a program was run for.
func ran(t *testing.T, p Program) tasks.Result {
	t.Helper()
	path := testkit.WriteFileIn(t, t.TempDir(), "content", "from the file")
	results, err := handlertest.DryRun{}.Run(t.Context(), handlers.PerFile(p.Run), path)
	testkit.Must(t, err)
	return results[0]
}

func shell(script string, args ...string) Program {
	return Program{Name: "sh", Args: append([]string{"-c", script, "sh"}, args...)}
}

func TestProgramsEndIsTheVerdict(t *testing.T) {
	locked := testkit.WriteFileIn(t, t.TempDir(), "locked", "#!/bin/sh\n")
	for name, tc := range map[string]struct {
		program  Program
		outcome  tasks.Outcome
		exitCode int
		code     string
		error    string
	}{
		"well":          {shell("exit 0"), tasks.OutcomeSucceeded, 0, "", ""},
		"badly":         {shell("echo ouch >&2; exit 3"), tasks.OutcomeFailed, 3, "exit-3", "ouch\nsh: exit status 3"},
		"mid-line":      {shell("printf ouch >&2; exit 255"), tasks.OutcomeFailed, 255, "exit-255", "ouch\nsh: exit status 255"},
		"killed":        {shell("kill -KILL $$"), tasks.OutcomeError, 137, "signal-KILL", "sh: signal: killed"},
		"crashed":       {shell("kill -SEGV $$"), tasks.OutcomeError, 139, "signal-SEGV", "sh: signal: segmentation fault"},
		"not there":     {Program{Name: "no-such-program"}, tasks.OutcomeError, 127, CodeCommandNotFound, "run no-such-program: "},
		"no such path":  {Program{Name: "/no/such/program"}, tasks.OutcomeError, 127, CodeCommandNotFound, "run /no/such/program: "},
		"not permitted": {Program{Name: locked}, tasks.OutcomeError, 126, CodeCommandNotPermitted, "run " + locked + ": "},
	} {
		r := ran(t, tc.program)
		if r.Outcome != tc.outcome || r.ExitCode != tc.exitCode || r.Code != tc.code || !strings.HasPrefix(r.Error, tc.error) {
			t.Errorf("%s: %s, exit code %d, code %q, error %q", name, r.Outcome, r.ExitCode, r.Code, r.Error)
		}
	}
}

// A program that is told the path of a file may read no other than Job.Open opens.
func TestProgramIsConfinedToTheRoots(t *testing.T) {
	root, outside := t.TempDir(), testkit.WriteFileIn(t, t.TempDir(), "secret", "secret")
	link := filepath.Join(root, "link")
	testkit.Must(t, os.Symlink(outside, link))
	inside := testkit.WriteFileIn(t, root, "inside", "content")
	for path, code := range map[string]string{inside: "", outside: handlers.CodeOutsideRoots, link: handlers.CodeOutsideRoots, root: handlers.CodeNotAFile} {
		for how, h := range map[string]handlers.Handler{
			"argument": handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
				return Command(ctx, job, "echo", "--in="+job.File().Path)
			}),
			"environment": handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
				return Program{Name: "env", Env: []string{"FILE=" + job.File().Path}}.Run(ctx, job)
			}),
		} {
			results, err := handlertest.DryRun{Roots: []string{root}}.Run(t.Context(), h, path)
			testkit.Must(t, err)
			ran := results[0].Output != ""
			if results[0].Code != code || ran != (code == "") {
				t.Errorf("%s as %s: code %q, output %q, error %q; want code %q", path, how, results[0].Code, results[0].Output, results[0].Error, code)
			}
		}
	}
}

func TestCommandPassesArgumentsAsTheyAre(t *testing.T) {
	path := testkit.WriteFileIn(t, t.TempDir(), "a file; $(exit 1) * ", "")
	h := handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
		return Command(ctx, job, "sh", "-c", `test -z "$(cat)" && printf '<%s>' "$@"`, "sh", job.File().Path, "-n", "", "x y")
	})
	results, err := handlertest.DryRun{}.Run(t.Context(), h, path)
	testkit.Must(t, err)
	if want := "<" + path + "><-n><><x y>"; results[0].Output != want || results[0].Outcome != tasks.OutcomeSucceeded {
		t.Errorf("got %q, want %q: %+v", results[0].Output, want, results[0])
	}
}

func TestProgramsStreams(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	p := shell("cat; pwd; echo $GREETING; echo out; echo err >&2")
	p.Stdin, p.Dir, p.Env = strings.NewReader("in\n"), dir, []string{"GREETING=hello", "PATH=" + os.Getenv("PATH")}
	if r := ran(t, p); r.Output != "in\n"+dir+"\nhello\nout\n" || r.Error != "err\n" || r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("got %+v", r)
	}

	h := handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
		f, err := job.Open()
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		return Program{Name: "cat", Stdin: f}.Run(ctx, job)
	})
	results, err := handlertest.DryRun{}.Run(t.Context(), h, testkit.WriteFileIn(t, dir, "content", "from the file"))
	if err != nil || results[0].Output != "from the file" {
		t.Errorf("a file as standard input: %v, %+v", err, results)
	}

	// More than pipes and captures hold, and nothing reads it.
	p = shell("head -c 1000000 /dev/zero | tr '\\0' x")
	p.Stdin = io.LimitReader(endless{func() {}}, 10<<20)
	if r := ran(t, p); !r.Truncated || !strings.Contains(r.Output, " bytes left out ") || r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("much output: %s %q, truncated %v, %d bytes", r.Outcome, r.Error, r.Truncated, len(r.Output))
	}
}

// The result of a program that read only a part of its input is no failure of the file.
func TestInputThatBreaksIsNoVerdict(t *testing.T) {
	broken := errors.New("the storage is away")
	for _, script := range []string{"cat >/dev/null; exit 7", "cat >/dev/null"} {
		p := shell(script)
		p.Stdin = io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
		if r := ran(t, p); r.Outcome != tasks.OutcomeError || r.Code != handlers.CodeIO || !strings.Contains(r.Error, broken.Error()) {
			t.Errorf("%s: got %+v", script, r)
		}
	}
}

// The reader runs on a goroutine of its own, where a panic would end the worker.
func TestInputThatPanicsCostsOneJob(t *testing.T) {
	p := shell("cat >/dev/null")
	p.Stdin = endless{func() { panic("no more") }}
	if r := ran(t, p); r.Outcome != tasks.OutcomeError || r.Code != handlers.CodePanic || !strings.Contains(r.Error, "no more") {
		t.Errorf("got %+v", r)
	}
}

func TestProgramIsNotStartedTooLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	job := handlers.NewJob(handlers.JobSpec{})
	if err := Command(ctx, job, "no-such-program"); !errors.Is(err, context.Canceled) || job.Result().Outcome != "" {
		t.Errorf("got %v", err)
	}
}

// running starts a program and returns when it has written the marker.
func running(t *testing.T, p Program, marker string) (job *handlers.Job, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	job = handlers.NewJob(handlers.JobSpec{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	returned := make(chan error, 1)
	go func() { returned <- p.Run(ctx, job) }()
	waitFor(t, marker, func() bool { return strings.Contains(job.Result().Output, marker) })
	return job, cancel, returned
}

func TestEndOfContextLetsAProgramEndInOrder(t *testing.T) {
	p := shell("trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	p.KillAfter = time.Minute
	job, stop, ended := running(t, p, "ready\n")
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) || job.Result().Outcome != "" {
		t.Errorf("got %v, verdict %+v", err, job.Result())
	}
	if out := job.Result().Output; !strings.HasSuffix(out, "goodbye\n") {
		t.Errorf("got %q", out)
	}
}

func TestProgramThatIgnoresTheEndIsKilled(t *testing.T) {
	p := shell("trap '' TERM; echo ready; while :; do sleep 0.01; done")
	p.KillAfter = 20 * time.Millisecond
	job, stop, ended := running(t, p, "ready\n")
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) || job.Result().Outcome != "" {
		t.Errorf("got %v, verdict %+v", err, job.Result())
	}
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		if !happened() {
			return errors.New("waited in vain for " + what)
		}
		return nil
	})
}

// endless is an input that never ends.
type endless struct{ onRead func() }

func (e endless) Read(p []byte) (int, error) { e.onRead(); return len(p), nil }
