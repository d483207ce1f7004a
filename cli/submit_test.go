package cli

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestSubmitPrintsTheIDAlone(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	first := s.must(exitOK, "submit", s.path("in"), "--key", "monday")
	if !regexp.MustCompile(`^[0-9a-f-]{36}\n$`).MatchString(first.stdout) {
		t.Fatalf("stdout %q is not an id alone", first.stdout)
	}
	again := s.must(exitOK, "submit", s.path("in"), "--key", "monday")
	equal(t, "the same key's id", again.stdout, first.stdout)
	contains(t, "stderr", again.stderr, "was submitted with this key before; nothing was added.")

	var o submission
	r := s.must(exitOK, "submit", s.path("in"), "--key", "monday", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatal(err)
	}
	if want := (submission{"transfer", strings.TrimSpace(first.stdout), false, false, 1, 5, tasks.ViaBulk}); o != want {
		t.Errorf("object %+v, want %+v", o, want)
	}
}

// One key stands for one request: other paths under it would be lost without a word.
func TestKeyOfAnotherRequest(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("other/b.txt", "beta")
	first := s.must(exitOK, "submit", s.path("in"), "--key", "monday")
	for _, c := range []struct{ args, had string }{
		{"submit other --key monday", `the path "DIR/in", not "DIR/other"`},
		{"submit in --key monday --recipe checksum", `the recipe "default", not "checksum"`},
		{"submit in --key monday --queue low", `the queue "default", not "low"`},
	} {
		args := strings.Fields(c.args)
		args[1] = s.path(args[1])
		r := s.must(exitError, args...)
		equal(t, c.args, s.stable(r.stdout+r.stderr), "error: the key was used before, for another request: transfer ID of key \"monday\" has "+
			c.had+"; use another key, or submit the same again\n")
	}
	if err := os.RemoveAll(s.path("in")); err != nil {
		t.Fatal(err)
	}
	equal(t, "the same request's id, when its files are gone", s.must(exitOK, "submit", s.path("in"), "--key", "monday").stdout, first.stdout)
}

// So does one list, and each option that says what is done with the files.
func TestKeyOfAnotherList(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_ROOTS="+s.dir)
	list := func(names ...string) string {
		var text strings.Builder
		for _, n := range names {
			text.WriteString(s.file(n, n) + "\n")
		}
		return text.String()
	}
	submit := func(code int, list string, args ...string) ran {
		s.from = strings.NewReader(list)
		return s.must(code, append([]string{"submit", "-", "--key", "monday"}, args...)...)
	}
	first := submit(exitOK, list("a", "b"))
	again := submit(exitOK, list("a", "b"), "--name", "other", "--via", "group")
	equal(t, "the same list's id", again.stdout, first.stdout)
	contains(t, "stderr", again.stderr, "was submitted with this key before; nothing was added.",
		`note: --name has no effect: the transfer is named "standard input".`, "note: --via has no effect: the transfer's files go by bulk.")
	contains(t, "as a file", s.must(exitOK, "submit", "--key", "monday", "--files-from", s.file("list", list("a", "b"))).stderr, "nothing was added")
	for _, c := range []struct {
		list string
		args []string
		had  string
	}{
		{list("a", "b", "c"), nil, `a list of 2 paths, not of 3, and no file "DIR/c"`},
		{list("a"), nil, `a list of 2 paths, not of 1`},
		{"", nil, `a list of 2 paths, not of 0`},
		{list("a", "c"), nil, `other paths in its list of 2, or the same in another order, and no file "DIR/c"`},
		{list("b", "a"), nil, `other paths in its list of 2, or the same in another order`},
		{list("a", "b"), []string{"--weight", "3", "--no-reuse"}, "the weight 1, not 3, and no --no-reuse"},
		{list("a", "b"), []string{"--webhook", "https://u:secret@example.com"}, "0 of the 1 webhooks of this submission"},
		{list("a", "b"), []string{"--exclude", "b"}, `the selection all files, not --exclude "b"`},
		{list("a", "b"), []string{"--newer", "2020-01-02"}, "the selection all files, not --newer 2020-01-02T"},
	} {
		r := submit(exitError, c.list, c.args...)
		said := s.stable(r.stdout + r.stderr)
		if !strings.HasPrefix(said, `error: the key was used before, for another request: transfer ID of key "monday" has `+c.had) {
			t.Errorf("%q %v: %s", c.list, c.args, said)
		}
	}
	if sum := s.must(exitOK, "status", "--json", "1").summary(t); sum.Files != 2 {
		t.Errorf("%d files", sum.Files)
	}
}

func TestSubmitFromStandardInput(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.from = strings.NewReader(s.file("a\nb", "1") + "\x00" + s.file("c", "2") + "\x00")
	contains(t, "stderr", s.must(exitError, "submit", "-", "--null").stderr, "set BALER_ROOTS (--roots)")
	s.env = append(s.env, "BALER_ROOTS="+s.dir)
	r := s.must(exitOK, "submit", "-", "--null", "--json")
	contains(t, "object", r.stdout, `"files":2,`, `"via":"bulk"`)

	s.from = strings.NewReader(s.path("c") + "\n")
	r = s.must(exitOK, "submit", "-", "--via", "group", "--json")
	contains(t, "object", r.stdout, `"files":1,`, `"via":"group"`)
	contains(t, "stderr", r.stderr, "warning: the embedded queue ends with this process")
}

// services gives the sandbox a queue and a database that processes share.
func (s *testEnv) services() {
	s.env = append(s.env, "BALER_REDIS_URL="+testkit.Redis(s.t), "BALER_DATABASE_URL="+testkit.MySQL(s.t), "BALER_ROOTS="+s.dir)
}

// start runs the program beside the test, and stops it as a signal would.
func (s *testEnv) start(args ...string) (stdout, stderr *buffer, stop func() ran) {
	ctx, cancel := context.WithCancel(s.t.Context())
	stdout, stderr = &buffer{}, &buffer{}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("stderr of %q:\n%s", args, stderr)
		}
	})
	code := make(chan int, 1)
	go func() { code <- newProgram(s.env).execute(ctx, args, strings.NewReader(""), stdout, stderr) }()
	return stdout, stderr, func() ran {
		cancel()
		return ran{<-code, stdout.String(), stderr.String()}
	}
}

func TestWorkerServesSubmit(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	_, _, stop := s.start("worker", "--concurrency", "2", "--grace", "5s", "--queues", "urgent=5,default=1")
	for _, via := range []string{"bulk", "group"} {
		r := s.must(exitOK, "submit", "--wait", "--json", "--queue", "urgent", "--via", via, s.path("in"))
		if sum := r.summary(t); sum.Finished != 1 || sum.State != tasks.StateCompleted {
			t.Errorf("%s: %+v", via, sum)
		}
	}
	r := s.must(exitFailures, "submit", "--wait", "--missing-ok", s.path("in"), s.path("gone"))
	if strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("stdout has more than the id:\n%s", r.stdout)
	}
	contains(t, "stderr", s.stable(r.stderr), "Transfer ID completed with failures\n", "All of them: baler results ID")
	r = stop()
	if r.code != exitOK {
		t.Errorf("worker ended with %d, want %d", r.code, exitOK)
	}
	contains(t, "the worker's stderr", r.stderr, "Stop it with Ctrl-C.", "worker started", "worker stopping")
}

// A handler that only other workers have is no error while none of them runs.
func TestSubmitForWorkersToCome(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	own := s.file("own.yaml", "name: own\nsteps:\n  - handler: checksum\n  - handler: ocr-engine\n")
	r := s.must(exitOK, "submit", "--recipe", own, s.path("in"))
	contains(t, "stderr", s.stable(r.stderr),
		"note: DIR/own.yaml:4: no running worker has the handler \"ocr-engine\"; its files wait until one starts.\n")
	contains(t, "status", s.must(exitOK, "status", "latest").stdout, "ocr-engine")
	misspelt := s.file("misspelt.yaml", "name: own\nsteps: [{handler: chekcsum}, {handler: ocr-engine}]\n")
	contains(t, "a misspelt one", s.must(exitError, "submit", "--recipe", misspelt, s.path("in")).stderr, `did you mean "checksum"?`)
	s.must(exitError, "run", "--recipe", own, s.path("in"))
	s.must(exitError, "recipe", "validate", own)
}

// No worker serves a queue whose name is misspelt.
func TestWaitingForAQueueThatNobodyServes(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	_, log, stopWorker := s.start("worker", "--queues", "urgent=5,default=1")
	defer stopWorker()
	testkit.Eventually(t, time.Minute, func() error { return lacks(log.String(), "worker started") })
	_, stderr, stop := s.start("submit", "--wait", "--queue", "Default", s.path("in"))
	testkit.Eventually(t, time.Minute, func() error {
		return lacks(stderr.String(), "No worker serves queue Default; served: default, urgent. "+
			"Start one with 'baler worker --queues Default=1', or cancel the transfer. Waiting.\n")
	})
	stop()
}

func TestWaitingWithoutWorkers(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	_, stderr, stop := s.start("submit", "--wait", s.path("in"))
	testkit.Eventually(t, time.Minute, func() error {
		return lacks(stderr.String(), "No worker is running: start one with 'baler worker'. Waiting.\n")
	})
	r := stop()
	if r.code != exitInterrupted {
		t.Errorf("exit code %d, want %d", r.code, exitInterrupted)
	}
	contains(t, "stderr", s.stable(r.stderr), "No longer waiting. Follow the transfer with 'baler status --watch ID'.\n")
}
