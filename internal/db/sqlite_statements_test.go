package db

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// keptOf are the statements that the connection keeps.
func keptOf(t *testing.T, c *sql.Conn) (n int) {
	t.Helper()
	testkit.Must(t, c.Raw(func(inner any) error {
		n = inner.(*keepingConn).kept.Len()
		return nil
	}))
	return n
}

func TestConnectionKeepsStatements(t *testing.T) {
	t.Parallel()
	b := newEnv(t, SQLite)
	pool, err := b.gorm.DB()
	testkit.Must(t, err)
	ctx := t.Context()
	c, err := pool.Conn(ctx)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, c)
	exec := func(text string, args ...any) error {
		_, err := c.ExecContext(ctx, text, args...)
		return err
	}
	testkit.Must(t, exec("CREATE TABLE n (i INTEGER PRIMARY KEY CHECK (i < 3))"))
	for i := range 5 {
		if err := exec("INSERT INTO n VALUES (?)", i); (err == nil) != (i < 3) {
			t.Errorf("insert %d: %v", i, err)
		}
	}
	testkit.Must(t, exec("INSERT INTO n VALUES (?)", -1))
	wantErr(t, exec("INSERT INTO n VALUES (?)", -2, -3), errArguments)

	const all = "SELECT i FROM n WHERE i < ? ORDER BY i"
	read := func(below int) (got []int) {
		t.Helper()
		rows, err := c.QueryContext(ctx, all, below)
		testkit.Must(t, err)
		defer rows.Close()
		for rows.Next() {
			var i int
			testkit.Must(t, rows.Scan(&i))
			if got = append(got, i); i == 1 && below == 3 {
				inner, err := c.QueryContext(ctx, all, 1) // the same text while it is used
				testkit.Must(t, err)
				defer inner.Close()
				for inner.Next() {
					testkit.Must(t, inner.Scan(&i))
					got = append(got, 10+i)
				}
				testkit.Must(t, inner.Err())
			}
		}
		testkit.Must(t, rows.Err())
		return got
	}
	for range 2 {
		if got, want := fmt.Sprint(read(3), read(1)), "[-1 0 1 9 10 2] [-1 0]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := keptOf(t, c); n != 2 {
		t.Errorf("%d statements are kept, want 2", n)
	}
	testkit.Must(t, exec("ALTER TABLE n ADD COLUMN j INTEGER DEFAULT 7"))
	if got := fmt.Sprint(read(1)); got != "[-1 0]" {
		t.Errorf("after the table has changed: %s", got)
	}
	for i := range 2 * keptStatements {
		var got int
		testkit.Must(t, c.QueryRowContext(ctx, fmt.Sprintf("SELECT ? + %d", i), 1).Scan(&got))
		if got != i+1 {
			t.Errorf("1 + %d is %d", i, got)
		}
	}
	if n := keptOf(t, c); n != keptStatements {
		t.Errorf("%d statements are kept, want %d", n, keptStatements)
	}
	testkit.Must(t, exec("DROP TABLE n"))
}
