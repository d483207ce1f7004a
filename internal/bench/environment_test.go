package bench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func options(t *testing.T, redis, database string) bench.Options {
	t.Helper()
	cfg, err := config.Load(config.Sources{
		Env:   []string{"BALER_STATE_DIR=" + t.TempDir()},
		Flags: map[string]any{"redis.url": redis, "database.url": database},
	})
	if err != nil {
		t.Fatal(err)
	}
	return bench.Options{Config: cfg, Say: t.Logf}
}

func TestGivenDatabaseThatHoldsTransfersIsLeftAloneUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	o := options(t, testkit.Redis(t), testkit.MySQL(t))
	env, err := bench.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("an empty database: %v", err)
	}
	if err := env.Close(); err != nil {
		t.Fatal(err)
	}
	register(t, o.Config)

	if _, err := bench.Open(t.Context(), o); !errors.Is(err, bench.ErrDatabaseNotEmpty) || strings.Contains(err.Error(), ":baler@") {
		t.Errorf("got %v, want %v without a password", err, bench.ErrDatabaseNotEmpty)
	}
	o.Yes = true
	env, err = bench.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("told that it may: %v", err)
	}
	if err := env.Close(); err != nil {
		t.Error(err)
	}
}

// register makes a transfer of one file.
func register(t *testing.T, cfg config.Config) {
	t.Helper()
	b, err := baler.Open(t.Context(), cfg, baler.Options{Registry: builtin.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	noop, _ := recipe.Builtin("noop")
	if _, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{path}, Recipe: noop, Via: tasks.ViaBulk}); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteIsNotMeasured(t *testing.T) {
	t.Parallel()
	_, err := bench.Open(t.Context(), options(t, testkit.Redis(t), "sqlite:"+filepath.Join(t.TempDir(), "x.db")))
	if err == nil || !strings.Contains(err.Error(), "MySQL") {
		t.Errorf("got %v", err)
	}
}

func TestEnvThatCannotBeOpenedLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options(t, "embedded", "")
	if _, err := bench.Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
