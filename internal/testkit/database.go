package testkit

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite"
)

// Database connects to the database of a URL, sqlite:PATH or mysql://…, past
// whatever the test is about, until the test ends.
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
		return sql.Open("sqlite", path)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return openMySQL(address, strings.TrimPrefix(u.Path, "/"))
}
