package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
)

// ErrInUse says that the given database holds transfers.
var ErrInUse = errors.New("the database holds transfers")

// mayUse looks whether a given database is for measuring.
func (p *Env) mayUse(ctx context.Context) error {
	u, err := config.ParseDatabase(p.databaseURL)
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
		return fmt.Errorf("%w: %s; name an empty one, or add to it with --yes", ErrInUse, u.Redacted())
	}
	return nil
}

// connect opens a database without GORM.
func connect(address string, connections int) (*sql.DB, error) {
	u, err := config.ParseDatabase(address)
	if err != nil {
		return nil, fmt.Errorf("database URL %w", err)
	}
	c, err := mysql.ParseDSN("tcp(" + u.Host + ")/" + u.Name + "?" + u.Params.Encode())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	c.User, c.Passwd = u.User, u.Password
	c.InterpolateParams, c.ParseTime, c.Loc = true, true, time.UTC
	c.Logger = &mysql.NopLogger{} // errors are returned
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// replaceDatabase creates the database of one URL on a server of our own, and
// drops that of another, if there is one.
func replaceDatabase(ctx context.Context, old, address string) error {
	server, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("make a database: %w", err)
	}
	name := strings.TrimPrefix(server.Path, "/")
	db, err := connect(databaseURL(address, "mysql"), 1)
	if err != nil {
		return err
	}
	defer db.Close()
	if old != "" {
		o, err := config.ParseDatabase(old)
		if err != nil {
			return fmt.Errorf("drop a database: %w", err)
		}
		if _, err := db.ExecContext(ctx, "DROP DATABASE "+o.Name); err != nil {
			return fmt.Errorf("drop a database: %w", err)
		}
	}
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		return fmt.Errorf("make a database: %w", err)
	}
	return nil
}

// databaseURL is a server's URL with the name of one of its databases.
func databaseURL(address, name string) string {
	u, err := url.Parse(address)
	if err != nil { // it is the servers package's
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}
