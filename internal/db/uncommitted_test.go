package db

import (
	"context"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/testkit"
)

// What only looks sees what a long transaction has written, and waits for nobody. What
// decides about a write sees what is committed.
func TestReadUncommitted(t *testing.T) {
	t.Parallel()
	d := newEnv(t, MySQL)
	testkit.Must(t, d.Exec(t.Context(), "CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL)"))
	testkit.Must(t, d.Exec(t.Context(), "INSERT INTO counters VALUES (1, 10)"))
	look := func(ctx context.Context) (n int) {
		testkit.Must(t, d.Session(ctx).Raw("SELECT SUM(n) FROM counters").Scan(&n).Error)
		return n
	}
	looking := ReadUncommitted(t.Context())
	written, end := make(chan struct{}), make(chan struct{})
	wrote := make(chan error)
	go func() {
		wrote <- d.Write(t.Context(), "write", func(tx *gorm.DB, _ time.Time) error {
			err := tx.Exec("UPDATE counters SET n = 20 WHERE id = 1").Error
			if err == nil {
				err = tx.Exec("INSERT INTO counters VALUES (2, 5)").Error
			}
			close(written)
			<-end
			return err
		})
	}()
	<-written
	for name, c := range map[string]struct {
		ctx  context.Context
		want int
	}{
		"who looks":                {looking, 25},
		"who looks at a replica":   {OnReplica(looking, d.DB), 25},
		"who works":                {t.Context(), 10},
		"who works after all":      {ReadCommitted(looking), 10},
		"who works on the primary": {OnPrimary(OnReplica(looking, d.DB)), 10},
		"a replica, committed":     {OnReplica(t.Context(), d.DB), 10},
	} {
		if got := look(c.ctx); got != c.want {
			t.Errorf("%s sees %d, want %d", name, got, c.want)
		}
	}
	if err := d.Session(looking).Exec("INSERT INTO counters VALUES (3, 1)").Error; err == nil {
		t.Error("who only looks has written")
	}
	testkit.Must(t, d.Snapshot(looking, func(view *DB) error {
		var n int
		err := view.Session(looking).Raw("SELECT SUM(n) FROM counters").Scan(&n).Error
		if n != 10 {
			t.Errorf("a snapshot has %d, want 10", n)
		}
		return err
	}))
	close(end)
	testkit.Must(t, <-wrote)
	if got := look(t.Context()); got != 25 {
		t.Errorf("%d is committed, want 25", got)
	}
}

func TestThePoolOfThoseWhoLookIsSmall(t *testing.T) {
	t.Parallel()
	d := newEnv(t, MySQL)
	pool, err := d.uncommitted.DB()
	testkit.Must(t, err)
	if most := pool.Stats().MaxOpenConnections; most != defaultConnections/2 {
		t.Errorf("it has up to %d connections, want %d", most, defaultConnections/2)
	}
	if open := pool.Stats().OpenConnections; open != 0 {
		t.Errorf("%d connections are open before anybody has looked", open)
	}
	for _, most := range []struct{ of, want int }{{1, 1}, {3, 2}, {40, 20}} {
		d, err := Open(t.Context(), d.url, Options{MaxConnections: most.of})
		testkit.Must(t, err)
		pool, err := d.uncommitted.DB()
		testkit.Must(t, err)
		if got := pool.Stats().MaxOpenConnections; got != most.want {
			t.Errorf("of %d connections it has up to %d, want %d", most.of, got, most.want)
		}
		testkit.Must(t, d.Session(ReadUncommitted(t.Context())).Exec("SELECT 1").Error)
		testkit.Must(t, d.Close())
		testkit.Must(t, d.Close())
	}
}

// SQLite has one pool: a reader sees what is committed, and waits for nobody.
func TestReadUncommittedOnSQLite(t *testing.T) {
	t.Parallel()
	d := newEnv(t, SQLite)
	if d.reader(ReadUncommitted(t.Context())) != d.gorm {
		t.Error("it has connections of its own")
	}
}
