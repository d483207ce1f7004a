//go:build unix

package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

type with = map[string]any

func sh(script string, args ...any) []any { return append([]any{"sh", "-c", script, "sh"}, args...) }

// one runs exec over one file.
func one(t *testing.T, w with) tasks.Result {
	t.Helper()
	path := testkit.WriteFileIn(t, t.TempDir(), "content", "from the file\n")
	return try(t, handlertest.DryRun{Args: w}, path)[0]
}

func try(t *testing.T, run handlertest.DryRun, paths ...string) []tasks.Result {
	t.Helper()
	results, err := run.Run(t.Context(), New(), paths...)
	testkit.Must(t, err)
	return results
}

func TestEndsOfACommand(t *testing.T) {
	t.Parallel()
	mapped := with{"0": "succeeded", "1": "failed", "3-5": "warning", "6": "skipped", "7": "error", "other": "timed_out"}
	for name, c := range map[string]struct {
		with     with
		outcome  tasks.Outcome
		exitCode int
		code     string
		error    string
	}{
		"well":            {with{"command": []any{"true"}}, tasks.OutcomeSucceeded, 0, "", ""},
		"badly":           {with{"command": []any{"false"}}, tasks.OutcomeFailed, 1, "exit-1", "false: exit status 1"},
		"a range":         {with{"command": sh("exit 4"), "outcomes": mapped}, tasks.OutcomeWarning, 4, "exit-4", ""},
		"nothing to do":   {with{"command": sh("exit 6"), "outcomes": mapped}, tasks.OutcomeSkipped, 6, "exit-6", ""},
		"again":           {with{"command": sh("exit 7"), "outcomes": mapped}, tasks.OutcomeError, 7, "exit-7", "sh: exit status 7"},
		"any other":       {with{"command": sh("exit 99"), "outcomes": mapped}, tasks.OutcomeTimedOut, 99, "exit-99", "sh: exit status 99"},
		"by signal":       {with{"command": sh("kill -SEGV $$")}, tasks.OutcomeError, 139, "signal-SEGV", "sh: signal: segmentation fault"},
		"not installed":   {with{"command": []any{"no-such-program"}}, tasks.OutcomeError, 127, command.CodeCommandNotFound, "run no-such-program: "},
		"closed streams":  {with{"command": sh("exec <&- >&- 2>&-; exit 3")}, tasks.OutcomeFailed, 3, "exit-3", "sh: exit status 3"},
		"a flood":         {with{"command": sh("head -c 104857600 /dev/zero; exit 0")}, tasks.OutcomeFailed, 1, CodeOutputLimit, "sh: wrote more than 67108864 bytes"},
		"endless":         {with{"command": []any{"yes"}, "max_output": "1MiB"}, tasks.OutcomeFailed, 1, CodeOutputLimit, "yes: wrote more than 1048576 bytes"},
		"a small flood":   {with{"command": sh("head -c 1000 /dev/zero | tr '\\0' x"), "max_output": 999}, tasks.OutcomeFailed, 1, CodeOutputLimit, "sh: wrote"},
		"relative script": {with{"command": []any{"./x.sh"}}, tasks.OutcomeError, 1, command.CodeCommandNotFound, "./x.sh is relative to the folder"},
		"processor time": {with{"command": sh("while :; do :; done"), "cpu": "1s"}, tasks.OutcomeTimedOut, 152, CodeCPULimit,
			"sh: used more than 1s of processor time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := one(t, c.with)
			if r.Outcome != c.outcome || r.ExitCode != c.exitCode || r.Code != c.code || !strings.HasPrefix(r.Error, c.error) {
				t.Errorf("%s, exit code %d, code %q, error %q", r.Outcome, r.ExitCode, r.Code, r.Error)
			}
		})
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	if err := (command.Limits{Memory: 1}).Check(); err != nil {
		t.Skip(err)
	}
	script := `ulimit -v`
	if r := one(t, with{"command": sh(script), "memory": "256MiB"}); r.Output != "262144\n" {
		t.Errorf("got %+v", r)
	}
	// A child inherits it, and cannot have more.
	r := one(t, with{"command": sh(`sh -c 'ulimit -v unlimited' && exit 1; head -c 400000000 /dev/zero | sort -S 300M >/dev/null || exit 9`), "memory": "100MiB"})
	if r.ExitCode != 9 {
		t.Errorf("got %+v", r)
	}
}

// Children that keep the streams do not keep the handler.
func TestGrandchildThatKeepsTheStreams(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	r := one(t, with{"command": sh("(trap '' HUP TERM; exec sleep 600) & echo done")})
	if r.Outcome != tasks.OutcomeSucceeded || r.Output != "done\n" || time.Since(begun) > time.Minute {
		t.Errorf("after %s: %+v", time.Since(begun), r)
	}
}

// Its own time limit ends a command that ignores SIGTERM; its neighbour is unharmed.
func TestHangingCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := []string{testkit.WriteFileIn(t, dir, "a", ""), testkit.WriteFileIn(t, dir, "hang", ""), testkit.WriteFileIn(t, dir, "z", "")}
	script := `case "$1" in *hang) trap '' TERM; while :; do sleep 1; done; esac; echo fine`
	for _, w := range []with{
		{"command": sh(script, pathOf)},
		{"command": sh(`for f; do case "$f" in *hang) trap '' TERM; while :; do sleep 1; done; esac; done; echo fine`), "each": "batch"},
	} {
		results := perPath(t, w, time.Second, paths...)
		for i, want := range []tasks.Outcome{tasks.OutcomeSucceeded, tasks.OutcomeTimedOut, tasks.OutcomeSucceeded} {
			if results[i].Outcome != want {
				t.Errorf("%v: file %d: %+v", w, i, results[i])
			}
		}
	}
}

// pathOf stands for ${path}, which the runner replaces for each file.
const pathOf = "${path}"

// perPath runs exec over files as one batch, with ${path} replaced as the runner does.
func perPath(t *testing.T, w with, timeout time.Duration, paths ...string) []tasks.Result {
	t.Helper()
	roots, err := handlers.NewRoots([]string{filepath.Dir(paths[0])})
	testkit.Must(t, err)
	defer roots.Close()
	return builtintest.Batch(t, New(), len(paths), func(i int) handlers.JobSpec {
		rendered := with{}
		for key, value := range w {
			if list, ok := value.([]any); ok {
				words := make([]any, len(list))
				for n, word := range list {
					if words[n] = word; word == pathOf {
						words[n] = paths[i]
					}
				}
				value = words
			}
			rendered[key] = value
		}
		return handlers.JobSpec{
			File: tasks.File{No: int64(i + 1), Path: paths[i]}, Args: rendered, Opener: roots, Timeout: timeout,
			Commands: func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true} },
		}
	})
}

// Names that shells and encodings break stay what they are.
func TestHardNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := []string{"two\nlines", "-rf", "in\xffvalid \xc3", "a b;$(exit 1)*", "quote'\"", "ünï"}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
		testkit.Must(t, os.WriteFile(paths[i], []byte("content of "+name), 0o600))
	}
	for name, w := range map[string]with{
		"argument":          {"command": []any{"cat", pathOf}},
		"standard input":    {"command": []any{"cat"}, "stdin": "file"},
		"batch":             {"command": sh(`for f; do test -f "$f" || exit 1; done`), "each": "batch"},
		"batch, place":      {"command": sh(`test "$1" = begin && shift; while [ "$1" != end ]; do test -f "$1" || exit 1; shift; done`, "begin", "{}", "end"), "each": "batch"},
		"batch, NUL":        {"command": sh(`test "$(tr -cd '\0' | wc -c)" -eq 6`), "each": "batch", "paths": "stdin"},
		"batch, NUL, xargs": {"command": sh(`xargs -0 sh -c 'for f; do test -f "$f" || exit 1; done' sh`), "each": "batch", "paths": "stdin"},
	} {
		for i, r := range perPath(t, w, 0, paths...) {
			if r.Outcome != tasks.OutcomeSucceeded {
				t.Errorf("%s: %q: %+v", name, names[i], r)
			}
		}
	}
	listed := perPath(t, with{"command": sh(`while read -r f; do test -f "$f" || exit 1; done <"$1"`, "{}"), "each": "batch", "paths": "list"}, 0, paths...)
	for i, r := range listed {
		if want := i != 0; (r.Outcome == tasks.OutcomeSucceeded) != want {
			t.Errorf("list: %q: %+v", names[i], r)
		}
	}
}

// The file on which a command for a batch crashes is found; the others succeed.
func TestOneBadFileOfABatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var paths []string
	for i := range 20 {
		paths = append(paths, testkit.WriteFileIn(t, dir, fmt.Sprintf("f%02d", i), ""))
	}
	script := `for f; do case "$f" in *f07) kill -SEGV $$;; *f13) exit 2;; esac; done`
	for i, r := range perPath(t, with{"command": sh(script), "each": "batch"}, 0, paths...) {
		want := map[int]string{7: "signal-SEGV", 13: "exit-2"}[i]
		if r.Code != want || (want == "") != (r.Outcome == tasks.OutcomeSucceeded) {
			t.Errorf("file %d: %+v", i, r)
		}
	}
}

// 10,000 long paths do not fit into one command.
func TestManyArguments(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 50))
	testkit.Must(t, os.Mkdir(dir, 0o700))
	paths := make([]string, 10_000)
	for i := range paths {
		paths[i] = filepath.Join(dir, strconv.Itoa(i))
		testkit.Must(t, os.WriteFile(paths[i], nil, 0o600))
	}
	for i, r := range perPath(t, with{"command": sh(`echo $#`), "each": "batch"}, 0, paths...) {
		if r.Outcome != tasks.OutcomeSucceeded || r.Output == "1\n" {
			t.Fatalf("file %d: %+v", i, r)
		}
	}
}

func TestEnvironmentAndFolder(t *testing.T) {
	t.Setenv("BALER_DATABASE_URL", "mysql://u:secret@h/d")
	t.Setenv("AWS_SECRET", "secret")
	t.Setenv("WANTED", "yes")
	r := one(t, with{"command": []any{"env"}, "env": []any{"WANTED", "MODE=fast"}})
	if strings.Contains(r.Output, "secret") || !strings.Contains(r.Output, "WANTED=yes\n") || !strings.Contains(r.Output, "MODE=fast\n") ||
		!strings.Contains(r.Output, "PATH=") {
		t.Errorf("got %s", r.Output)
	}
	folder := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "mine.sh"), []byte("#!/bin/sh\npwd\n"), 0o700))
	file := testkit.WriteFileIn(t, t.TempDir(), "f", "")
	for _, w := range []with{{"command": []any{"./mine.sh"}}, {"command": []any{"pwd"}, "dir": "."}} {
		if r := try(t, handlertest.DryRun{Args: w, CommandDir: folder}, file)[0]; r.Output != folder+"\n" {
			t.Errorf("%v: %+v", w, r)
		}
	}
	r = one(t, with{"command": sh("pwd; ls; echo x >left"), "dir": "temporary"})
	if _, err := os.Stat(strings.TrimSpace(r.Output)); !os.IsNotExist(err) || r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("the folder stays: %v, %+v", err, r)
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		facts  with
		want   string // the facts, or the code
	}{
		"all members":     {`echo '{"a":1,"b":"x"}'`, with{"json": "*"}, `{"a":1,"b":"x"}`},
		"of a list":       {`echo '[{"Width":12}]'`, with{"json": with{"width": "Width"}}, `{"width":12}`},
		"deep":            {`echo '{"streams":[{"codec":"h264"}]}'`, with{"json": with{"codec": "streams.0.codec", "none": "x.y"}}, `{"codec":"h264"}`},
		"big numbers":     {`echo '{"n":12345678901234567890}'`, with{"json": "*"}, `{"n":12345678901234567890}`},
		"garbage":         {`echo oops`, with{"json": "*"}, CodeBadFacts},
		"half":            {`printf '{"a":'`, with{"json": "*"}, CodeBadFacts},
		"nothing":         {`:`, with{"json": "*"}, CodeBadFacts},
		"no object":       {`echo 7`, with{"json": "*"}, CodeBadFacts},
		"pattern":         {`echo 'Size: 10x20'`, with{"patterns": []any{`^Size: (?P<w>\d+)x(?P<h>\d+)$`}, "numbers": []any{"w"}}, `{"w":10,"h":"20"}`},
		"second pattern":  {`echo a; echo b=1`, with{"patterns": []any{`c=(?P<c>.)`, `^b=(?P<b>.)`}}, `{"b":"1"}`},
		"no number":       {`echo w=x`, with{"patterns": []any{`w=(?P<w>.)`}, "numbers": []any{"w"}}, CodeBadFacts},
		"exit code first": {`echo oops; exit 3`, with{"json": "*"}, "exit-3"},
	} {
		r := one(t, with{"command": sh(c.script), "facts": c.facts})
		if got := string(r.Facts) + r.Code; got != c.want {
			t.Errorf("%s: got %s, want %s: %+v", name, got, c.want, r)
		}
	}
}

func TestFactsOfABatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := []string{testkit.WriteFileIn(t, dir, "a", ""), testkit.WriteFileIn(t, dir, "b", ""), testkit.WriteFileIn(t, dir, "silent", "")}
	script := `for f; do case "$f" in *silent) ;; *) echo '{"file":"'"$f"'","n":"'"${f##*/}"'"}';; esac; done`
	results := perPath(t, with{"command": sh(script), "each": "batch", "facts": with{"json": with{"n": "n"}, "file": "file"}}, 0, paths...)
	if string(results[0].Facts) != `{"n":"a"}` || string(results[1].Facts) != `{"n":"b"}` || results[2].Code != CodeNoFacts {
		t.Errorf("got %+v", results)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]with{
		"there is no command":             {},
		"must be a list of words":         {"command": "file ${path}"},
		`there is no argument "comand"`:   {"comand": []any{"x"}},
		"each \"folder\" must be":         {"command": []any{"x"}, "each": "folder"},
		"is no outcome":                   {"command": []any{"x"}, "outcomes": with{"0": "good"}},
		"neither an exit code":            {"command": []any{"x"}, "outcomes": with{"one": "failed"}},
		"another entry has":               {"command": []any{"x"}, "outcomes": with{"1": "failed", "0-3": "warning"}},
		"no named group":                  {"command": []any{"x"}, "facts": with{"patterns": []any{"x"}}},
		"give json, and file":             {"command": []any{"x"}, "each": "batch", "facts": with{"json": "*"}},
		"is not passed on":                {"command": []any{"x"}, "env": []any{"BALER_DATABASE_URL"}},
		"must have \"{}\" once":           {"command": []any{"x"}, "each": "batch", "paths": "list"},
		"paths is for each: batch":        {"command": []any{"x"}, "paths": "stdin"},
		"is not a time":                   {"command": []any{"x"}, "cpu": "fast"},
		"stdin \"paths\" must be":         {"command": []any{"x"}, "stdin": "paths"},
		"stdin: file is for each: file":   {"command": []any{"x"}, "each": "batch", "stdin": "file"},
		"word 2 is null, not text":        {"command": []any{"x", nil}},
		"max_output and memory must be p": {"command": []any{"x"}, "memory": -1},
	} {
		if _, err := parse(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", w, err, want)
		}
	}
}

// Nobody who may only submit runs programs on a worker.
func TestCommandsNeedPermission(t *testing.T) {
	t.Parallel()
	path := testkit.WriteFileIn(t, t.TempDir(), "f", "")
	roots, err := handlers.NewRoots([]string{path})
	testkit.Must(t, err)
	defer roots.Close()
	for _, each := range []string{"file", "batch"} {
		job := handlers.NewJob(handlers.JobSpec{
			File: tasks.File{Path: path}, Opener: roots, Args: with{"command": []any{"touch", path + ".ran"}, "each": each},
		})
		testkit.Must(t, New().Handle(t.Context(), []*handlers.Job{job}))
		if r := job.Result(); r.Code != handlers.CodeCommandsNotAllowed || !strings.Contains(r.Error, "worker.recipes") {
			t.Errorf("%s: %+v", each, r)
		}
	}
	if _, err := os.Stat(path + ".ran"); !os.IsNotExist(err) {
		t.Error("it ran")
	}
}
