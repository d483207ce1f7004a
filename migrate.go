package baler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/dbcopy"
	"github.com/balerhq/baler/internal/store"
)

// Migration is the result of Migrate.
type Migration struct {
	Database string   // the database's address, without the password
	Applied  []string // oldest first
	Pending  []string // not applied yet; empty unless Migrate only checks
}

// Migrate migrates the schema of the database to this program's version, whatever
// database.auto_migrate is; with check it only reports pending migrations. For a
// database of a newer version it returns an error and changes nothing.
func Migrate(ctx context.Context, cfg config.Config, o Options, check bool) (m Migration, err error) {
	b := newBaler(cfg, o)
	if err := b.openStore(ctx); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	m.Database = b.store.Describe()
	if check {
		m.Pending, err = b.store.Pending(ctx)
	} else {
		m.Applied, err = b.store.Migrate(ctx)
	}
	return m, err
}

// CopiedTable is a table that CopyDatabase has copied, and compared.
type CopiedTable = dbcopy.TableCopy

// ErrDatabaseInUse is the error of CopyDatabase while something runs.
var ErrDatabaseInUse = errors.New("something runs on the database")

// CopyDatabase copies the database at a URL into that of cfg, which must be empty, and
// compares all tables by the number of rows and a digest. done is called with each table that
// is the same. After an error or an interruption it goes on when it is repeated; until it has
// ended, no program opens the new database.
func CopyDatabase(ctx context.Context, cfg config.Config, o Options, from string, done func(CopiedTable)) (err error) {
	if path, file := strings.CutPrefix(from, "sqlite:"); file { // opening would make one
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("copy database: %w", err)
		}
	}
	b := newBaler(cfg, o)
	if err := b.openStore(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	secure, err := cfg.Database.TLS.Load()
	if err != nil {
		return fmt.Errorf("database.%w", err)
	}
	old, err := store.Open(ctx, from, store.Options{Log: b.log, TLS: secure, HostClock: b.hostClock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if old.Describe() == b.store.Describe() {
		return fmt.Errorf("copy database: %s is the database of the settings: give the new one with --database or BALER_DATABASE_URL",
			old.Describe())
	}
	if begun, failed := b.store.DB().BeganCopy(ctx); failed != nil || begun == "" {
		if _, err := b.store.Migrate(ctx); err != nil {
			return errors.Join(failed, err)
		}
	}
	quiet := func(ctx context.Context) error {
		what, err := old.Running(ctx)
		if err == nil && len(what) > 0 {
			err = fmt.Errorf("%w %s: %s; stop it, wait half a minute, and try again", ErrDatabaseInUse, old.Describe(), strings.Join(what, ", "))
		}
		return err
	}
	if err := dbcopy.Copy(ctx, old.DB(), b.store.DB(), quiet, done); err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	return nil
}
