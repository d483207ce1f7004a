package testkit

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"
)

// EachDatabase runs a test as two parallel subtests, "sqlite" and "mysql", each
// with the URL of an empty database that no other test uses.
func EachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for name, create := range map[string]func(testing.TB) string{"sqlite": SQLite, "mysql": MySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, create(t))
		})
	}
}

// SQLite returns the URL of an SQLite database that does not exist yet and that no other
// test uses, as sqlite:PATH. It is deleted when the test ends.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
}

// Database connects a test directly to the database of a URL, sqlite:PATH or mysql://…,
// until the test ends, so that the test can read or change rows without the code under test.
func Database(t testing.TB, address string) *sql.DB {
	t.Helper()
	db, err := openDatabase(address)
	if err != nil {
		t.Fatalf("database: %v", err)
	}
	CloseAtEnd(t, db)
	return db
}

func openDatabase(address string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
			"_pragma":  {"busy_timeout(10000)"},
			"_timefmt": {"2006-01-02 15:04:05.000000-07:00"}, // as the product writes times
		}.Encode()}
		return sql.Open("sqlite3", u.String())
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return openMySQL(address, strings.TrimPrefix(u.Path, "/"))
}
