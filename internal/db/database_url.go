package db

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/dsn"
)

// Dialect names a kind of database.
type Dialect string

// The dialects. MariaDB counts as MySQL.
const (
	MySQL  Dialect = "mysql"
	SQLite Dialect = "sqlite"
)

// defaultCollation compares literals with each other: MySQL and MariaDB have it in
// every version. Columns have collations of their own.
const defaultCollation = "utf8mb4_general_ci"

// ErrURL is wrapped by every error about a database URL.
var ErrURL = errors.New("bad BALER_DATABASE_URL")

// target is a parsed database URL.
type target struct {
	dialect Dialect
	path    string        // SQLite
	mode    sqliteMode    // SQLite
	mysql   *mysql.Config // MySQL
}

// describe returns the address for people to see, without user and password.
func (t target) describe() string {
	if t.dialect == SQLite {
		return "sqlite:" + t.path
	}
	if t.mysql.Net == "unix" {
		return fmt.Sprintf("mysql:///%s?socket=%s", t.mysql.DBName, t.mysql.Addr)
	}
	return fmt.Sprintf("mysql://%s/%s", t.mysql.Addr, t.mysql.DBName)
}

// parseURL reads a database URL as dsn.Parse does.
func parseURL(raw string) (target, error) {
	d, err := dsn.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("%w: %w", ErrURL, err)
	}
	if d.Driver == string(SQLite) {
		return target{dialect: SQLite, path: d.Path}, nil
	}
	cfg, err := mysqlConfig(d)
	return target{dialect: MySQL, mysql: cfg}, err
}

// DriverConfig returns the driver's configuration of a MySQL address. Its errors do
// not show the values of parameters.
func DriverConfig(d dsn.Database) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(d.DriverDSN())
	if err != nil {
		for name := range d.Params {
			only := d
			only.Params = url.Values{name: d.Params[name]}
			if _, err := mysql.ParseDSN(only.DriverDSN()); err != nil {
				return nil, fmt.Errorf("%w: the driver refuses the value of its parameter %s", ErrURL, name)
			}
		}
		return nil, fmt.Errorf("%w: the driver refuses it", ErrURL)
	}
	cfg.User, cfg.Passwd = d.User, d.Password
	return cfg, nil
}

func mysqlConfig(d dsn.Database) (*mysql.Config, error) {
	// The driver reads its own parameters; Baler's are set over them below.
	cfg, err := DriverConfig(d)
	if err != nil {
		return nil, err
	}
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.InterpolateParams = true // one round trip a statement: 1.4 times the speed of bulk inserts
	cfg.ClientFoundRows = true   // a compare-and-set that changes nothing still matches
	cfg.MaxAllowedPacket = 0     // the driver asks each server, and refuses larger statements before it sends them
	cfg.RejectReadOnly = false   // mysqlConn does that, and keeps the reason
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	// These replace a connection that died without being closed.
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = time.Minute
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = time.Minute
	}
	return cfg, nil
}
