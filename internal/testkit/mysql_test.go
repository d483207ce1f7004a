package testkit

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"
)

// query returns the one value that a statement yields in the database of a URL.
func query(t *testing.T, address, statement string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	db := connect(t, address)
	var value sql.NullString
	if _, err := db.ExecContext(t.Context(), "USE "+strings.TrimPrefix(u.Path, "/")); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value.String
}

// connect opens a single connection, so that USE applies to the following statements.
func connect(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := openMySQL(address, "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	CloseAtEnd(t, db)
	return db
}

func TestMySQLGivesEachTestAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	const tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
	one, two := MySQL(t), MySQL(t)
	if one == two {
		t.Fatalf("both got %s", one)
	}
	for _, address := range []string{one, two} {
		if n := query(t, address, tables); n != "0" {
			t.Errorf("%s has %s tables", address, n)
		}
	}
}

func TestMySQLHasDurableSettings(t *testing.T) {
	t.Parallel()
	address := NewMySQLServer(t).URL()
	for variable, want := range map[string]string{
		"innodb_flush_log_at_trx_commit": "1",
		"innodb_doublewrite":             "1",
		"character_set_server":           "utf8mb4",
		"max_connections":                "500",
	} {
		got := query(t, address, "SELECT @@"+variable)
		if got == "ON" {
			got = "1" // as MySQL reports it
		}
		if got != want {
			t.Errorf("%s is %s, want %s", variable, got, want)
		}
	}
}

func TestMySQLDropsTheDatabaseWhenTheTestEnds(t *testing.T) {
	var address string
	t.Run("a test", func(t *testing.T) { address = MySQL(t) })

	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	row := connect(t, address).QueryRowContext(t.Context(),
		"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", strings.TrimPrefix(u.Path, "/"))
	if err := row.Scan(&n); err != nil || n != 0 {
		t.Errorf("%d databases of that name are left, error %v", n, err)
	}
}
