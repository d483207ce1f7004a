package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// dropTimeout limits the wait for a transaction that a test has left open.
const dropTimeout = 30 * time.Second

// MySQL returns the URL of an empty database that no other test uses, as
// mysql://user:password@host:port/name. It is dropped when the test ends; the test
// must have ended its transactions by then.
func MySQL(t testing.TB) string {
	t.Helper()
	address, err := shared.mysqlURL(t.Context())
	if err != nil {
		t.Fatalf("mysql: %v", err)
	}
	db, err := openMySQL(address, "")
	if err != nil {
		t.Fatalf("mysql: %v", err)
	}
	CloseAtEnd(t, db)
	name := "baler_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		t.Fatalf("mysql: create database: %v", err)
	}
	t.Cleanup(func() { drop(t, db, name) })
	return databaseURL(t, address, name)
}

func drop(t testing.TB, db *sql.DB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), dropTimeout)
	defer cancel()
	if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
		t.Errorf("mysql: drop database (has the test ended its transactions?): %v", err)
	}
}

// openMySQL connects to a database on the server of a mysql:// URL. An empty name
// selects no database.
func openMySQL(address, name string) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("parse server address: %w", err)
	}
	config, err := mysql.ParseDSN("/?" + u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("parse server address: %w", err)
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, name
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", u.Host, err)
	}
	return sql.OpenDB(connector), nil
}

// databaseURL is a server's URL with the name of one of its databases.
func databaseURL(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("parse server address: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}
