package systemtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// backends are the combinations of queue and database on which every promise is tested.
var backends = []struct {
	name string
	set  func(t *testing.T, c *config.Config)
}{
	{"embedded", func(t *testing.T, c *config.Config) {
		c.Redis.URL = "embedded"
		c.Database.URL = "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
	}},
	{"servers", func(t *testing.T, c *config.Config) {
		c.Redis.URL = testkit.Redis(t)
		c.Database.URL = testkit.MySQL(t)
		c.Roots = testkit.Roots()
	}},
}

// onEach runs a test against each backend.
func onEach(t *testing.T, test func(t *testing.T, c config.Config)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
			if err != nil {
				t.Fatal(err)
			}
			c.Worker.Grace = 5 * time.Second
			b.set(t, &c)
			test(t, c)
		})
	}
}

// open opens a system that is closed when the test ends.
func open(t testing.TB, c config.Config, reg *handlers.Registry) *baler.Baler {
	t.Helper()
	if reg == nil {
		reg = builtin.Registry()
	}
	b, err := baler.Open(t.Context(), c, baler.Options{Registry: reg, Log: testLog(t), HeartbeatInterval: 250 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	testkit.CloseAtEnd(t, b)
	return b
}

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("BALER_TEST_LOG") == "" {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("test", t.Name())
}

// work runs a worker until the returned function is called, or the test ends.
func work(t testing.TB, b *baler.Baler) (stop func()) {
	t.Helper()
	return testkit.Background(t, b.Work)
}

// hung is the time after which a test counts as hung, on any machine.
const hung = 5 * time.Minute

// wait fails the test when the transfer does not end in time.
func wait(t testing.TB, b *baler.Baler, id string) tasks.Transfer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	tr, err := b.Wait(ctx, id, nil)
	if err != nil {
		t.Fatalf("wait for %s: %v; it is at %+v", id, err, tr)
	}
	return tr
}

// yaml parses a recipe of the test.
func yaml(t *testing.T, text string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func builtinRecipe(t testing.TB, name string) *recipe.Recipe {
	t.Helper()
	r, ok := recipe.Builtin(name)
	if !ok {
		t.Fatalf("no recipe %q", name)
	}
	return r
}

// audit checks the promise: exactly one final result for each file at each
// step that routed it, and counters that equal the rows. It returns the results.
func audit(t *testing.T, b *baler.Baler, tr tasks.Transfer) []tasks.ResultLine {
	t.Helper()
	if tr.State != tasks.StateCompleted || tr.Finished != tr.Files {
		t.Errorf("transfer is %s with %d of %d files finished", tr.State, tr.Finished, tr.Files)
	}
	type key struct {
		step string
		file int64
	}
	seen := make(map[key]bool)
	counts := make(map[string]*tasks.Counts)
	var lines []tasks.ResultLine
	for l, err := range b.Results(t.Context(), tr, baler.ResultFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[key{l.Step, l.File}] {
			t.Errorf("file %d has two results at step %s", l.File, l.Step)
		}
		seen[key{l.Step, l.File}] = true
		if counts[l.Step] == nil {
			counts[l.Step] = new(tasks.Counts)
		}
		counts[l.Step].Add(l.Outcome, 1)
		lines = append(lines, l)
	}
	for _, s := range tr.Steps {
		rows := tasks.Counts{}
		if counts[s.Name] != nil {
			rows = *counts[s.Name]
		}
		if s.Counts != rows {
			t.Errorf("step %s counts %+v, its rows are %+v", s.Name, s.Counts, rows)
		}
		if s.Selected != rows.Total() {
			t.Errorf("step %s routed %d files and has %d results", s.Name, s.Selected, rows.Total())
		}
	}
	return lines
}
