package baler

import (
	"context"
	"errors"

	"github.com/balerhq/baler/config"
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
