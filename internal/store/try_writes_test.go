package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestTryWritesLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		testkit.Must(t, b.TryWrites(t.Context()))
		testkit.Must(t, b.TryWrites(t.Context()))
		for _, r := range trialRows(b.clock.Now()) {
			table := r.(interface{ TableName() string }).TableName()
			if n := b.count(t, table, "1 = 1"); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

// A trial locks no row but its own: workers write meanwhile, and tables have millions of rows.
func TestTryWritesWaitsForNobody(t *testing.T) {
	t.Parallel()
	b := emptyEnv(t, db.MySQL)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 3)
	one := b.batch(t, tr.ID, "1-3")
	b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeFailed, 1, 2, 3), FollowUp: finishing(one)})
	locked, end, held := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		held <- b.DB().Write(t.Context(), "hold rows", func(tx *gorm.DB, _ time.Time) error {
			for _, change := range []string{"files SET size = 7", "results SET attempt = 7", "failures SET kind = 7", "steps SET selected = 7"} {
				if err := tx.Exec("UPDATE " + change).Error; err != nil {
					return err
				}
			}
			close(locked)
			<-end
			return nil
		})
	}()
	<-locked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // or else it waits for a minute
	defer cancel()
	testkit.Must(t, b.TryWrites(ctx))
	close(end)
	testkit.Must(t, <-held)
}

// A table that a migration adds must be tried as well.
func TestTryWritesKnowsEveryTable(t *testing.T) {
	tried := append(slices.Collect(maps.Keys(withoutTrialRows())), "baler_migrations") // written by migrations only
	for _, r := range trialRows(testkit.NewClock().Now()) {
		tried = append(tried, r.(interface{ TableName() string }).TableName())
	}
	for _, table := range db.OwnTables() {
		if !slices.Contains(tried, strings.Trim(table, "`")) && table != db.OwnTables()[0] {
			t.Errorf("table %s is not tried", table)
		}
	}
}

// A missing right is told from a database that does not answer, and from others.
func TestTryWritesAsAnAccountWithoutRights(t *testing.T) {
	t.Parallel()
	b := emptyEnv(t, db.MySQL)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	limited := b.limitedAccount(t, "attempts")
	s, err := Open(t.Context(), limited, db.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	err = s.TryWrites(t.Context())
	if !db.IsDenied(err) || !strings.Contains(err.Error(), "table attempts") {
		t.Errorf("got %v", err)
	}
	wrong := strings.Replace(limited, ":secret@", ":wrong@", 1)
	_, err = Open(t.Context(), wrong, db.Options{})
	if err == nil || !strings.Contains(err.Error(), "refuses the connection") || !strings.Contains(err.Error(), "set the user and the password") {
		t.Errorf("with a wrong password: %v", err)
	}
}

// limitedAccount gives the URL of the database for an account that may not delete from a table.
func (b *env) limitedAccount(t *testing.T, table string) string {
	t.Helper()
	var name string
	testkit.Must(t, b.db.Raw("SELECT DATABASE()").Scan(&name).Error)
	user := "limited_" + name[max(0, len(name)-12):]
	exec := func(statement string) { testkit.Must(t, b.db.Exec(statement).Error) }
	exec("CREATE USER '" + user + "'@'%' IDENTIFIED BY 'secret'")
	t.Cleanup(func() {
		c := testkit.Database(t, b.url)
		if _, err := c.Exec("DROP USER '" + user + "'@'%'"); err != nil {
			t.Error(err)
		}
	})
	for _, own := range db.OwnTables() {
		rights := "SELECT, INSERT, UPDATE, DELETE"
		if own == table {
			rights = "SELECT, INSERT, UPDATE"
		}
		exec("GRANT " + rights + " ON `" + name + "`.`" + own + "` TO '" + user + "'@'%'")
	}
	address := b.url
	_, rest, _ := strings.Cut(address, "@")
	return "mysql://" + user + ":secret@" + rest
}
