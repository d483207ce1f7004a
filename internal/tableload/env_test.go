package tableload

import (
	"path/filepath"
	"testing"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
)

// env is one database with Baler's tables.
type env struct {
	*Store
	db *gorm.DB
}

// each runs a test on a database of every kind.
func each(t *testing.T, test func(t *testing.T, b *env)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, dialect))
		})
	}
}

func newEnv(t *testing.T, dialect db.Dialect) *env {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
	if dialect == db.MySQL {
		url = testkit.MySQL(t)
	}
	return openEnv(t, url)
}

func openEnv(t *testing.T, url string) *env {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	testkit.CloseAtEnd(t, d)
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &env{New(d), d.Session(t.Context())}
}

func (b *env) dialect() db.Dialect { return b.Store.db.Dialect() }

// count counts the rows that a condition selects.
func (b *env) count(t *testing.T, table, where string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := b.db.Table(table).Where(where, args...).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}
