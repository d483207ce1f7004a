package db

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// env is one empty database with a clock of its own.
type env struct {
	*DB
	url   string
	clock *testkit.Clock
}

// each runs a test on an empty database of every kind.
func each(t *testing.T, test func(t *testing.T, b *env)) {
	t.Helper()
	for _, dialect := range []Dialect{SQLite, MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, dialect))
		})
	}
}

func newEnv(t *testing.T, dialect Dialect) *env {
	t.Helper()
	b := &env{clock: testkit.NewClock()}
	if dialect == MySQL {
		b.url = testkit.MySQL(t)
	} else {
		b.url = "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
	}
	b.DB = b.another(t, Options{})
	return b
}

// another opens the same database once more, as another process would.
func (b *env) another(t *testing.T, o Options) *DB {
	t.Helper()
	if o.Now == nil {
		o.Now = b.clock.Now
	}
	d, err := Open(t.Context(), b.url, o)
	if err != nil {
		t.Fatal(err)
	}
	testkit.CloseAtEnd(t, d)
	return d
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}
