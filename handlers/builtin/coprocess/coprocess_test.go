//go:build unix

package coprocess

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

type with = map[string]any

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: %v", program, err)
	}
}

// handler is one whose children end with the test.
func handler(t *testing.T) *ChildHandler {
	t.Helper()
	h := New()
	t.Cleanup(func() { testkit.Must(t, h.Close()) })
	return h
}

// files writes files of these names into one folder.
func files(t *testing.T, names ...string) []string {
	t.Helper()
	dir := t.TempDir()
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
		testkit.Must(t, os.WriteFile(paths[i], []byte("content\n"), 0o600))
	}
	return paths
}

// try runs one batch with a script.
func try(t *testing.T, h *ChildHandler, name, script string, w with, timeout time.Duration, paths ...string) []tasks.Result {
	t.Helper()
	folder := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(folder, name), []byte(script), 0o600))
	args := with{"script": name}
	maps.Copy(args, w)
	return batch(t, h, folder, args, timeout, paths...)
}

func batch(t *testing.T, h *ChildHandler, folder string, args with, timeout time.Duration, paths ...string) []tasks.Result {
	t.Helper()
	roots, err := handlers.NewRoots([]string{filepath.Dir(paths[0])})
	testkit.Must(t, err)
	defer roots.Close()
	return builtintest.Batch(t, h, len(paths), func(i int) handlers.JobSpec {
		return handlers.JobSpec{
			File: tasks.File{No: int64(i + 1), Path: paths[i], Size: 8}, Args: args, Opener: roots, Timeout: timeout, Attempt: 1,
			Commands: func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true, Dir: folder} },
		}
	})
}

func TestPythonScript(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	script := `
import os, sys, subprocess
def call(jobs):
    for job in jobs:
        print("printed")                       # belongs to the job
        os.write(1, b"raw\n")                  # must not reach the protocol
        subprocess.run(["echo", "from a child"])
        sys.stdin.read()
        job.write_output("out\n"); job.write_error("err\n")
        assert job.args[1:] == ["-v", 7] and job.args[0].endswith("own.py"), job.args
        job.set_fact("bytes", len(open(job.path, "rb").read()))
        job.set_fact("puid", job.facts["puid"])
        name = os.path.basename(job.path)
        if name == "bad": job.set_status(3)
        if name == "odd": job.set_status(2, "warning", code="odd-name")
        if name == "again": job.set_status(1, "error", "later")
        if name == "skip": job.set_status(0, "skipped")
        if name == "own word": job.set_status(1, code="rejected")
`
	paths := files(t, "good", "bad", "odd", "again", "skip", "own word", "in\xffvalid\n")
	results := try(t, handler(t), "own.py", script, with{"args": []any{"-v", 7}, "facts": with{"puid": "fmt/1"}}, 0, paths...)
	for i, want := range []tasks.Result{
		{Outcome: tasks.OutcomeSucceeded}, {Outcome: tasks.OutcomeFailed, ExitCode: 3},
		{Outcome: tasks.OutcomeWarning, ExitCode: 2, Code: "odd-name"}, {Outcome: tasks.OutcomeError, ExitCode: 1, Code: "later"},
		{Outcome: tasks.OutcomeSkipped}, {Outcome: tasks.OutcomeFailed, ExitCode: 1, Code: "rejected"}, {Outcome: tasks.OutcomeSucceeded},
	} {
		r := results[i]
		if r.Outcome != want.Outcome || r.ExitCode != want.ExitCode || r.Code != want.Code || string(r.Facts) != `{"bytes":8,"puid":"fmt/1"}` ||
			r.Output != "printed\nout\n" || !strings.Contains(r.Error, "err\n") {
			t.Errorf("%q: %+v", paths[i], r)
		}
	}
}

// Scripts of other systems bring modules along: their folder counts, and so does the library.
func TestPythonPathOfTheStep(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	folder := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "helper.py"), []byte("word = 'helped'\n"), 0o600))
	script := "import baler, helper\ndef call(jobs):\n    for job in jobs:\n        job.write_output(helper.word)\n"
	results := try(t, handler(t), "own.py", script, with{"env": []any{"PYTHONPATH=" + folder}}, 0, files(t, "a")...)
	if r := results[0]; r.Outcome != tasks.OutcomeSucceeded || r.Output != "helped" {
		t.Errorf("%+v", r)
	}
}

// Whatever a script does with one file, the other files of the batch have their results,
// and this file has one that says what happened.
func TestScriptFailsOnOneFile(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	for name, c := range map[string]struct {
		does    string // to the file "bad"
		outcome tasks.Outcome
		code    string
		error   string
	}{
		"raises":          {`raise ValueError("ouch")`, tasks.OutcomeError, "exception", "ValueError: ouch"},
		"exits":           {`sys.exit(4)`, tasks.OutcomeFailed, "", ""},
		"exits, quietly":  {`sys.exit()`, tasks.OutcomeSucceeded, "", ""},
		"exits with text": {`sys.exit("no good")`, tasks.OutcomeFailed, "", "no good"},
		"dies":            {`os._exit(9)`, tasks.OutcomeError, "exit-9", "ended in the middle of this file: exit status 9"},
		"crashes":         {`os.kill(os.getpid(), signal.SIGSEGV)`, tasks.OutcomeError, "signal-SEGV", "segmentation fault"},
		"says why":        {`os.write(2, b"last words\n"); os._exit(1)`, tasks.OutcomeError, "exit-1", "last words"},
		"hangs":           {`signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)`, tasks.OutcomeTimedOut, handlers.CodeTimeout, "time limit"},
		"floods":          {`print("x" * 100_000_000)`, tasks.OutcomeSucceeded, "", ""},
		"floods, raw":     {`[os.write(1, b"x" * 1000000) for i in range(100)]`, tasks.OutcomeSucceeded, "", "x"},
		"forks": {`
            if os.fork() == 0: time.sleep(600)
            os._exit(0)`, tasks.OutcomeError, "exit-0", "ended in the middle"},
		"garbage":    {`os.write(proto(), b"garbage\n")`, tasks.OutcomeError, CodeBadProtocol, `wrote "garbage\n"`},
		"half":       {`os.write(proto(), b'{"type":'); os._exit(0)`, tasks.OutcomeError, CodeBadProtocol, "half a line"},
		"long line":  {`[os.write(proto(), b"x" * 1000000) for i in range(20)]`, tasks.OutcomeError, CodeBadProtocol, "more than 16 MiB"},
		"bad facts":  {`job.set_fact("no name", 1)`, tasks.OutcomeFailed, CodeBadProtocol, "not a fact"},
		"big facts":  {`job.set_fact("big", "x" * 100000)`, tasks.OutcomeFailed, CodeBadProtocol, "not a fact"},
		"bad status": {`job._answer = lambda job=job: {"type": "result", "batch": job._batch.id, "job": job._id, "outcome": "great"}`, tasks.OutcomeError, handlers.CodeInvalidOutcome, ""},
		"closes":     {`os.close(proto()); time.sleep(600)`, tasks.OutcomeError, CodeBadProtocol, "closed its standard output"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := `
import gc, io, os, signal, sys, time
def proto():
    return next(o.fileno() for o in gc.get_objects() if isinstance(o, io.FileIO) and o.mode == "wb" and o.fileno() > 2 and not os.path.samestat(os.fstat(o.fileno()), os.fstat(2)))
def call(jobs):
    for job in jobs:
        job.set_fact("seen", 1)
        if job.path.endswith("bad"):
            ` + c.does + "\n"
			results := try(t, handler(t), "own.py", script, nil, 2*time.Second, files(t, "a", "b", "bad", "y", "z")...)
			for i, r := range results {
				switch {
				case i != 2 && (r.Outcome != tasks.OutcomeSucceeded || string(r.Facts) != `{"seen":1}`):
					t.Errorf("neighbour %d: %+v", i, r)
				case i == 2 && (r.Outcome != c.outcome || r.Code != c.code || !strings.Contains(r.Error, c.error)):
					t.Errorf("%s, code %q, error %.1000q", r.Outcome, r.Code, r.Error)
				}
			}
		})
	}
}

// speaker is a program that speaks the protocol by itself, badly; do gets the batch message m.
func speaker(do string) with {
	return with{"command": []any{"python3", "-u", "-c", `
import json, os, sys
def say(**m): print(json.dumps(m))
say(type="ready", protocol=1)
for line in sys.stdin:
    m = json.loads(line)
    if m["type"] == "ping": say(type="pong", ping=m["ping"]); continue
    b, ids = m["batch"], [j["id"] for j in m["jobs"]]
    ` + do + "\n"}}
}

func TestAnswersThatDoNotFit(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	for name, c := range map[string]struct {
		do   string
		want string // outcomes and codes
		note string // in the error of the last
	}{
		"in order":     {`[say(type="result", batch=b, job=i) for i in ids]; say(type="done", batch=b)`, "succeeded succeeded succeeded", ""},
		"out of order": {`[say(type="result", batch=b, job=i, exit_code=i) for i in reversed(ids)]; say(type="done", batch=b)`, "failed failed failed", ""},
		"twice": {`[say(type="result", batch=b, job=i, exit_code=x) for i in ids for x in (0, 1)]; say(type="done", batch=b)`,
			"succeeded succeeded succeeded", ""},
		"unknown job": {`[say(type="result", batch=b, job=i) for i in ids[:2] + [99, 0]]; say(type="done", batch=b)`,
			"succeeded succeeded error:no-answer", "for job 99, which is not in the batch"},
		"another batch": {`say(type="result", batch=b+1, job=3); [say(type="result", batch=b, job=i) for i in ids[:2]]; say(type="done", batch=b)`,
			"succeeded succeeded error:no-answer", "which is not at work"},
		"none":       {`say(type="done", batch=b)`, "error:no-answer error:no-answer error:no-answer", "without an answer"},
		"later type": {`say(type="progress", x=1); [say(type="result", batch=b, job=i) for i in ids]; say(type="done", batch=b)`, "succeeded succeeded succeeded", ""},
		"garbage for one": {`
    for j in m["jobs"]:
        if j["path"].endswith("b"): print("oops")
        say(type="result", batch=b, job=j["id"])
    say(type="done", batch=b)`, "succeeded error:bad-protocol succeeded", ""},
		"dies at one, silently": {`
    if any(j["path"].endswith("b") for j in m["jobs"]): os._exit(5)
    [say(type="result", batch=b, job=i) for i in ids]; say(type="done", batch=b)`, "succeeded error:exit-5 succeeded", ""},
		"does not read": {`
    say(type="result", batch=b, job=1); import time; time.sleep(600)`, "timed_out:timeout timed_out:timeout timed_out:timeout", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "does not read" {
				c.want = "succeeded succeeded succeeded" // each alone has an answer, and is then too slow to end the batch
			}
			results := batch(t, handler(t), t.TempDir(), speaker(c.do), time.Second, files(t, "a", "b", "c")...)
			var got []string
			for _, r := range results {
				got = append(got, strings.TrimSuffix(fmt.Sprintf("%s:%s", r.Outcome, r.Code), ":"))
			}
			if strings.Join(got, " ") != c.want || !strings.Contains(results[2].Error, c.note) {
				t.Errorf("got %s, want %s: %q", got, c.want, results[2].Error)
			}
		})
	}
}

func TestChildThatIsNotReady(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	for want, w := range map[string]with{
		"begins with import nothing":   {"command": []any{"python3", "-c", "import sys; sys.exit('begins with import nothing')"}},
		"speaks version 2":             {"command": []any{"python3", "-c", `print('{"type":"ready","protocol":2}')`}},
		"of type \"done\" instead":     {"command": []any{"echo", `{"type":"done"}`}},
		"which is no message":          {"command": []any{"echo", "hello"}},
		"run no-such-program":          {"command": []any{"no-such-program"}},
		"no such file or directory":    {"script": "missing.py"},
		"closed its standard output (": {"command": []any{"true"}},
	} {
		for _, r := range batch(t, handler(t), t.TempDir(), w, 0, files(t, "a", "b")...) {
			if r.Outcome != tasks.OutcomeError || !strings.Contains(r.Error, want) {
				t.Errorf("%s: %+v", want, r)
			}
		}
	}
	for script, want := range map[string]string{
		"import nothing_like_it\n": "ModuleNotFoundError", "x = 1\n": "has no function call(jobs)", "def call(\n": "SyntaxError",
	} {
		r := try(t, handler(t), "own.py", script, nil, 0, files(t, "a")...)[0]
		if r.Code != CodeNotReady || !strings.Contains(r.Error, want) {
			t.Errorf("%q: %+v", script, r)
		}
	}
}

// A child stays for further batches, until it dies or has served its number of them.
func TestChildrenAreKept(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	h, folder := handler(t), t.TempDir()
	script := "import os\ndef call(jobs):\n    for job in jobs: job.set_fact('pid', os.getpid())\n"
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "pid.py"), []byte(script), 0o600))
	paths := files(t, "a")
	pid := func() string {
		return string(batch(t, h, folder, with{"script": "pid.py", "max_batches": 3}, 0, paths...)[0].Facts)
	}
	first, second, third, fourth := pid(), pid(), pid(), pid()
	if first == "" || first != second || first != third || first == fourth {
		t.Errorf("got %s %s %s %s", first, second, third, fourth)
	}
	var number int
	_, err := fmt.Sscanf(fourth, `{"pid":%d}`, &number)
	testkit.Must(t, err)
	dying, err := os.FindProcess(number)
	testkit.Must(t, err)
	testkit.Must(t, dying.Kill())
	if fifth := pid(); fifth == "" || fifth == fourth {
		t.Errorf("got %s after %s was killed", fifth, fourth)
	}
}

// A child that has had nothing to do is asked whether it is well.
func TestHealth(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	for do, want := range map[string]bool{
		`say(type="pong", ping=m["ping"])`: true, `os._exit(0)`: false, `print("?")`: false,
	} {
		w := with{"command": []any{"python3", "-u", "-c", `
import json, os, sys
def say(**m): print(json.dumps(m))
say(type="ready", protocol=1)
for line in sys.stdin:
    m = json.loads(line)
    ` + do}}
		s, err := parse(w)
		testkit.Must(t, err)
		testkit.Must(t, s.resolve(t.TempDir()))
		c, err := startChild(t.Context(), s)
		testkit.Must(t, err)
		if got := c.healthy(t.Context()); got != want {
			t.Errorf("%s: %v", do, got)
		}
		c.end()
	}
}

func TestNodeScript(t *testing.T) {
	t.Parallel()
	needs(t, "node")
	script := `
import { readFileSync } from 'node:fs'
export async function call(jobs) {
  for (const job of jobs) {
    console.log('must not reach the protocol')
    process.stdout.write('nor this\n')
    job.setFact('bytes', readFileSync(job.pathBytes).length)
    job.writeOutput('out\n')
    if (job.path.endsWith('bad')) throw new Error('ouch')
    if (job.path.endsWith('dies')) process.exit(7)
    if (job.path.endsWith('odd')) job.setStatus(2, 'warning', 'odd')
  }
}
`
	results := try(t, handler(t), "own.mjs", script, nil, 0, files(t, "a", "bad", "dies", "odd", "in\xffvalid")...)
	for i, want := range []string{"succeeded:", "error:exception", "error:exit-7", "warning:odd", "succeeded:"} {
		r := results[i]
		if got := fmt.Sprintf("%s:%s", r.Outcome, r.Code); got != want || i != 2 && string(r.Facts) != `{"bytes":8}` {
			t.Errorf("file %d: got %s, want %s: %+v", i, got, want, r)
		}
	}
	if !strings.Contains(results[1].Error, "Error: ouch") {
		t.Errorf("got %q", results[1].Error)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]with{
		"name a script":                 {},
		"either script or command":      {"script": "x.py", "command": []any{"x"}},
		"is neither Python":             {"script": "x.rb"},
		"interpreter is for a script":   {"command": []any{"x"}, "interpreter": []any{"python3"}},
		"max_batches and memory must":   {"script": "x.py", "max_batches": -1},
		`there is no argument "skript"`: {"skript": "x.py"},
		"variables of Baler may hold ":  {"script": "x.py", "env": []any{"BALER_REDIS_URL"}},
	} {
		if _, err := parse(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", w, err, want)
		}
	}
}

func TestScriptsNeedPermission(t *testing.T) {
	t.Parallel()
	path := files(t, "a")[0]
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: path}, Args: with{"script": "/x.py"}})
	testkit.Must(t, handler(t).Handle(t.Context(), []*handlers.Job{job}))
	if r := job.Result(); r.Code != handlers.CodeCommandsNotAllowed {
		t.Errorf("got %+v", r)
	}
}

// The helper for tests of scripts gives the verdicts that Baler would record.
func TestPythonTestHelper(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	dir, err := sdkFolder()
	testkit.Must(t, err)
	folder := t.TempDir()
	script := "def call(jobs):\n    for job in jobs:\n        with job.JobContext():\n            print('hello')\n" +
		"            job.set_fact('lines', len(open(job.path).readlines()))\n            if 'bad' in job.path: raise ValueError('ouch')\n"
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "lines.py"), []byte(script), 0o600))
	unit := `
import baler, sys
good, bad = baler.run_test("lines.py", sys.argv[1:])
assert (good.outcome or "succeeded", good.new_facts, good.output) == ("succeeded", {"lines": 1}, "hello\n"), vars(good)
assert (bad.outcome, bad.code) == ("error", "exception") and "ouch" in bad.error, vars(bad)
`
	paths := files(t, "good", "bad")
	cmd := exec.Command("python3", append([]string{"-c", unit}, paths...)...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "PYTHONPATH="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	cmd = exec.Command("python3", append([]string{dir + "/baler.py", "test", "lines.py"}, paths...)...)
	cmd.Dir = folder
	out, err := cmd.Output()
	if err == nil || !strings.Contains(string(out), `"outcome": "succeeded"`) || !strings.Contains(string(out), "ValueError: ouch") {
		t.Errorf("%v: %s", err, out)
	}
}
