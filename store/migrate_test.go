package store

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

// eachEmpty runs a test on a database of every kind that has no tables yet.
func eachEmpty(t *testing.T, test func(t *testing.T, b *env)) {
	t.Helper()
	for _, dialect := range []Dialect{SQLite, MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, emptyEnv(t, dialect))
		})
	}
}

func TestMigrateTwice(t *testing.T) {
	eachEmpty(t, func(t *testing.T, b *env) {
		known, err := b.DB().versions()
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
	eachEmpty(t, func(t *testing.T, b *env) {
		s := b.another(t, Options{MaxConnections: 1})
		if applied, err := s.Migrate(t.Context()); err != nil || len(applied) == 0 {
			t.Errorf("applied %v, %v", applied, err)
		}
	})
}

func TestMigrateFromManyProcessesAtOnce(t *testing.T) {
	eachEmpty(t, func(t *testing.T, b *env) {
		known, err := b.DB().versions()
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var applied []string
		atOnce(t, 4, func(int) error {
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

// maxParallel starts n goroutines on one signal and reports their errors.
func atOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	start := make(chan struct{})
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		if err := b.db.Exec("INSERT INTO " + migrationsTable + " VALUES ('9999_from_the_future')").Error; err != nil {
			t.Fatal(err)
		}
		if err := b.db.Exec("DROP TABLE leases").Error; err != nil {
			t.Fatal(err)
		}
		_, err := b.Pending(t.Context())
		wantErr(t, err, ErrSchemaNewer)
		applied, err := b.Migrate(t.Context())
		wantErr(t, err, ErrSchemaNewer)
		if len(applied) > 0 || b.db.Migrator().HasTable("leases") {
			t.Errorf("a newer database was changed: %v", applied)
		}
		if err == nil || !strings.Contains(err.Error(), "9999_from_the_future") {
			t.Errorf("the error does not name the unknown migration: %v", err)
		}
	})
}

// MySQL commits at every DDL statement: a migration that died half-way has left
// some of its tables, and no note.
func TestHalfAppliedMigrationIsResumed(t *testing.T) {
	eachEmpty(t, func(t *testing.T, b *env) {
		known, err := b.DB().versions()
		if err != nil {
			t.Fatal(err)
		}
		src, err := migrations.ReadFile(b.DB().migrationsDir() + "/" + known[0] + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range strings.SplitN(string(src), ";\n", 5)[:4] {
			if err := b.db.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		applied, err := b.Migrate(t.Context())
		if err != nil || !slices.Equal(applied, known) {
			t.Fatalf("applied %v, %v", applied, err)
		}
		b.transfer(t, 1)
		if held, err := b.AcquireLease(t.Context(), "l", "me", 1); err != nil || !held {
			t.Errorf("the last table is of no use: %v, %v", held, err)
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
	b := emptyEnv(t, MySQL)
	pool, err := b.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := b.DB().lockMigrations(t.Context(), conn)
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
