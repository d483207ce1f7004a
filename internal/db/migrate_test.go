package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMigrateTwice(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		known, err := b.versions()
		if err != nil {
			t.Fatal(err)
		}
		pending, err := b.Pending(t.Context())
		if err != nil || !slices.Equal(pending, known) {
			t.Fatalf("an empty database lacks %v, %v; want %v", pending, err, known)
		}
		applied, err := b.Migrate(t.Context())
		if err != nil || !slices.Equal(applied, known) {
			t.Fatalf("applied %v, %v; want %v", applied, err, known)
		}
		applied, err = b.Migrate(t.Context())
		if err != nil || len(applied) > 0 {
			t.Errorf("the second time applied %v, %v", applied, err)
		}
		pending, err = b.Pending(t.Context())
		if err != nil || len(pending) > 0 {
			t.Errorf("a migrated database lacks %v, %v", pending, err)
		}
	})
}

func TestMigrateWithOneConnection(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		s := b.another(t, Options{MaxConnections: 1})
		if applied, err := s.Migrate(t.Context()); err != nil || len(applied) == 0 {
			t.Errorf("applied %v, %v", applied, err)
		}
	})
}

func TestMigrateFromManyProcessesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		known, err := b.versions()
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var applied []string
		testkit.AtOnce(t, 4, func(int) error {
			s, err := Open(t.Context(), b.url, Options{})
			if err != nil {
				return err
			}
			done, err := s.Migrate(t.Context())
			mu.Lock()
			applied = append(applied, done...)
			mu.Unlock()
			return errors.Join(err, s.Close())
		})
		if !slices.Equal(applied, known) {
			t.Errorf("all together say that they applied %v; want each of %v once", applied, known)
		}
	})
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		if _, err := b.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.gorm.Exec("INSERT INTO " + migrationsTable + " VALUES ('9999_from_the_future', '')").Error; err != nil {
			t.Fatal(err)
		}
		if err := b.gorm.Exec("DROP TABLE leases").Error; err != nil {
			t.Fatal(err)
		}
		_, err := b.Pending(t.Context())
		wantErr(t, err, ErrSchemaNewer)
		applied, err := b.Migrate(t.Context())
		wantErr(t, err, ErrSchemaNewer)
		if len(applied) > 0 || b.gorm.Exec("SELECT 1 FROM leases").Error == nil {
			t.Errorf("a newer database was changed: %v", applied)
		}
		if err == nil || !strings.Contains(err.Error(), "9999_from_the_future") {
			t.Errorf("the error does not name the unknown migration: %v", err)
		}
	})
}

// Builds before a release change the one migration. A database of another build, with
// another fingerprint or none, is named as such, and left alone.
func TestDatabaseOfAnotherBuildIsLeftAlone(t *testing.T) {
	for name, statement := range map[string]string{
		"other fingerprint": "UPDATE " + migrationsTable + " SET fingerprint = 'x'",
		"none":              "ALTER TABLE " + migrationsTable + " DROP COLUMN fingerprint",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				if _, err := b.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := b.gorm.Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
				_, err := b.Pending(t.Context())
				wantErr(t, err, ErrSchemaOther)
				applied, err := b.Migrate(t.Context())
				if wantErr(t, err, ErrSchemaOther); len(applied) > 0 || !strings.Contains(err.Error(), "give another database") {
					t.Errorf("applied %v, %v", applied, err)
				}
			})
		})
	}
}

// MySQL commits at every DDL statement: a migration that died half-way has left
// some of its tables, and no note.
func TestHalfAppliedMigrationIsResumed(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		known, err := b.versions()
		if err != nil {
			t.Fatal(err)
		}
		src, err := migrations.ReadFile(b.migrationsDir() + "/" + known[0] + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range strings.SplitN(string(src), ";\n", 5)[:4] {
			if err := b.gorm.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		applied, err := b.Migrate(t.Context())
		if err != nil || !slices.Equal(applied, known) {
			t.Fatalf("applied %v, %v", applied, err)
		}
		if err := b.gorm.Exec("INSERT INTO leases (name, holder, until) VALUES ('l', 'me', ?)", b.Stamp()).Error; err != nil {
			t.Errorf("the last table is unusable: %v", err)
		}
	})
}

// A database that does not answer lacks nothing: it is not known what it lacks.
func TestPendingWithoutDatabase(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	s, err := Open(t.Context(), proxy.URL(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // its connections are broken
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.Down()
	if pending, err := s.Pending(t.Context()); err == nil {
		t.Errorf("an unreachable database lacks %v", pending)
	}
}

// While another process migrates this one waits, for longer than a read may
// take, and until it is told to stop.
func TestMigrateWaitsForAnother(t *testing.T) {
	t.Parallel()
	b := newEnv(t, MySQL)
	pool, err := b.gorm.DB()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := b.lockMigrations(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	impatient := &env{url: b.url + "?readTimeout=2s", clock: b.clock}
	s := impatient.another(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = s.Migrate(ctx)
	wantErr(t, err, context.DeadlineExceeded)

	if err := errors.Join(unlock(), conn.Close()); err != nil {
		t.Fatal(err)
	}
	if applied, err := b.Migrate(t.Context()); err != nil || len(applied) == 0 {
		t.Errorf("applied %v, %v", applied, err)
	}
}
