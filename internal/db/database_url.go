package db

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Dialect names a kind of database.
type Dialect string

// The dialects. MariaDB counts as MySQL.
const (
	MySQL  Dialect = "mysql"
	SQLite Dialect = "sqlite"
)

// ErrURL is wrapped by every complaint about a database URL.
var ErrURL = errors.New("bad database URL")

// target is a parsed database URL.
type target struct {
	dialect Dialect
	path    string        // SQLite
	mysql   *mysql.Config // MySQL
}

// where describes the target to a person, without the password.
func (t target) where() string {
	if t.dialect == SQLite {
		return "sqlite:" + t.path
	}
	return fmt.Sprintf("mysql://%s/%s", t.mysql.Addr, t.mysql.DBName)
}

// parseURL reads "sqlite:PATH" and "mysql://user:password@host:port/name?…",
// where the query takes the parameters of the MySQL driver.
func parseURL(raw string) (target, error) {
	if path, ok := strings.CutPrefix(raw, "sqlite:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return target{}, fmt.Errorf("%w: sqlite: needs a path, as sqlite:/var/lib/baler/baler.db", ErrURL)
		}
		return target{dialect: SQLite, path: path}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "mysql" {
		// The URL may hold a password: it is not repeated.
		return target{}, fmt.Errorf("%w: expected sqlite:PATH or mysql://user:password@host:3306/name", ErrURL)
	}
	cfg, err := mysqlConfig(u)
	return target{dialect: MySQL, mysql: cfg}, err
}

func mysqlConfig(u *url.URL) (*mysql.Config, error) {
	name := strings.TrimPrefix(u.Path, "/")
	if u.Host == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%w: expected mysql://user:password@host:3306/name", ErrURL)
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":3306"
	}
	if err := checkCharset(u.Query()); err != nil {
		return nil, err
	}
	// The driver reads its own parameters; ours are set over them below.
	cfg, err := mysql.ParseDSN("tcp(" + addr + ")/" + name + "?" + u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password() // without one it is empty, as it should be
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.InterpolateParams = true // one round trip a statement: 1.4 times the speed of bulk inserts
	cfg.ClientFoundRows = true   // a compare-and-set that changes nothing still matches
	cfg.RejectReadOnly = true    // after a failover the old primary's connections are dropped
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	// A connection that died in silence is noticed by these and replaced.
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = time.Minute
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = time.Minute
	}
	return cfg, nil
}

// checkCharset rejects character sets other than utf8mb4: Literals escapes for
// UTF-8, and in some others an escaped quote could end a literal.
func checkCharset(params url.Values) error {
	for _, sets := range params["charset"] {
		for set := range strings.SplitSeq(sets, ",") {
			if set != "utf8mb4" {
				return fmt.Errorf("%w: charset=%s is not supported; use utf8mb4 or leave it out", ErrURL, sets)
			}
		}
	}
	for _, collation := range params["collation"] {
		if !strings.HasPrefix(collation, "utf8mb4_") {
			return fmt.Errorf("%w: collation=%s is not supported; use one of utf8mb4 or leave it out", ErrURL, collation)
		}
	}
	return nil
}
