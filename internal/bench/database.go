package bench

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dsn"
)

// ErrDatabaseNotEmpty is the error for a given database that contains transfers.
var ErrDatabaseNotEmpty = errors.New("the database holds transfers")

// mayUse returns an error unless the given database may be used for measurements.
func (p *Env) mayUse(ctx context.Context) error {
	u, err := dsn.Parse(p.databaseURL)
	if err != nil {
		return fmt.Errorf("--database %w", err)
	}
	if u.Driver != "mysql" {
		return errors.New("--database: bench measures MySQL and MariaDB; without the flag it starts one for itself")
	}
	cfg := p.o.Config
	b, err := baler.OpenStore(ctx, cfg, baler.Options{Registry: builtin.Registry(), Log: p.o.Log})
	if err != nil {
		return err
	}
	transfers, err := b.Transfers(ctx, 0, 1)
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	if len(transfers) > 0 && !p.o.Yes {
		return fmt.Errorf("%w: %s; name an empty one, or add to it with --yes", ErrDatabaseNotEmpty, u.Redacted())
	}
	return nil
}

// connect opens the database of the measurement, without GORM, by the settings.
func (p *Env) connect(address string, connections int) (*sql.DB, error) {
	if p.mysql != nil { // bench has started it
		return connect(address, nil, connections)
	}
	secure, err := p.o.Config.Database.TLS.Load()
	if err != nil {
		return nil, fmt.Errorf("database.%w", err)
	}
	return connect(address, secure, connections)
}

// connect opens a database without GORM. Without secure, the address determines whether to
// use TLS.
func connect(address string, secure *tls.Config, connections int) (*sql.DB, error) {
	u, err := dsn.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("database URL %w", err)
	}
	c, err := db.DriverConfig(u)
	if err != nil {
		return nil, err
	}
	c.InterpolateParams, c.ParseTime, c.Loc = true, true, time.UTC
	c.Logger = &mysql.NopLogger{} // errors are returned
	if secure != nil {
		c.TLS = secure
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// replaceDatabase creates the database of the URL address on a server that bench
// started, and drops that of old unless old is empty.
func replaceDatabase(ctx context.Context, old, address string) error {
	created, err := dsn.Parse(address)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	db, err := connect(databaseURL(address, "mysql"), nil, 1)
	if err != nil {
		return err
	}
	defer db.Close()
	if old != "" {
		o, err := dsn.Parse(old)
		if err != nil {
			return fmt.Errorf("drop database: %w", err)
		}
		if _, err := db.ExecContext(ctx, "DROP DATABASE "+o.Name); err != nil {
			return fmt.Errorf("drop database: %w", err)
		}
	}
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+created.Name+" CHARACTER SET utf8mb4"); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// databaseURL is a server's URL with the name of one of its databases.
func databaseURL(address, name string) string {
	u, err := url.Parse(address)
	if err != nil { // internal/testservers wrote it
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}
