package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/tasks"
)

// testEnv is a user's home with nothing in it, and the program run there.
type testEnv struct {
	t    *testing.T
	dir  string // with symlinks resolved, as Baler shows paths
	env  []string
	from io.Reader // standard input
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &testEnv{t: t, dir: dir, env: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, from: strings.NewReader("")}
}

// twoSteps is a recipe with the steps checksum and identify.
func (s *testEnv) twoSteps() string {
	return s.file("two.yaml", "name: two\nsteps: [{handler: checksum}, {handler: identify}]\n")
}

// file writes a file below the sandbox and returns its path.
func (s *testEnv) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *testEnv) path(name string) string { return filepath.Join(s.dir, name) }

// newProgram is the program baler in an environment.
func newProgram(env []string) *program {
	return &program{name: "baler", registry: builtin.Registry(), env: env}
}

// ran is what one run of the program left behind.
type ran struct {
	code           int
	stdout, stderr string
}

// do runs the program in this process. A command that does not end fails the test.
func (s *testEnv) do(args ...string) ran {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	return s.doUntil(ctx, args...)
}

// doUntil runs the program until it ends or ctx does, as after a signal.
func (s *testEnv) doUntil(ctx context.Context, args ...string) ran {
	s.t.Helper()
	var stdout, stderr buffer
	code := newProgram(s.env).execute(ctx, args, s.from, &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

// must runs the program and expects an exit code.
func (s *testEnv) must(code int, args ...string) ran {
	s.t.Helper()
	r := s.do(args...)
	if r.code != code {
		s.t.Fatalf("baler %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// summary is the last line of a report in JSON.
func (r ran) summary(t *testing.T) tasks.Summary {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	var s tasks.Summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil || s.Type != "summary" {
		t.Fatalf("the last line is no summary: %v\nstdout:\n%s\nstderr:\n%s", err, r.stdout, r.stderr)
	}
	return s
}

// said is standard error for people, also after --json: notes and errors as they are
// without it, and no progress in JSON.
func (r ran) said() string {
	var text strings.Builder
	for line := range strings.Lines(r.stderr) {
		var o messageObject
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			text.WriteString(line)
			continue
		}
		switch o.Type {
		case "note":
			text.WriteString(o.Message + "\n")
		case "error":
			text.WriteString("error: " + o.Message + "\n")
		}
	}
	return text.String()
}

// number is the number of the transfer with an id.
func (s *testEnv) number(id string) string {
	s.t.Helper()
	var sum summary
	if err := json.Unmarshal([]byte(s.must(exitOK, "status", "--json", id).stdout), &sum); err != nil {
		s.t.Fatal(err)
	}
	return strconv.FormatInt(sum.Number, 10)
}

// buffer may be written and read by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// stable replaces what differs from run to run.
func (s *testEnv) stable(text string) string {
	text = strings.ReplaceAll(text, s.dir, "DIR")
	for _, r := range []struct{ pattern, by string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`, "ID"},
		{`(\b(?:[Tt]ransfer|results|resume|retry|status)|--resume|--watch) \d+\b`, "$1 ID"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "TIME"},
		{`in [0-9.]+s(, [0-9.,]+ files/s)?(, [0-9.,]+ \w+/s)?`, "in SECONDS"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	return text
}

// equal compares texts and shows both when they differ.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n--- got\n%s\n--- want\n%s", what, got, want)
	}
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}
