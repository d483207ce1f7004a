package baler

import (
	"context"
	"errors"

	"github.com/balerhq/baler/config"
)

// Migration is what Migrate found and did.
type Migration struct {
	Database string   // for people, without the password
	Applied  []string // oldest first
	Pending  []string // still to be applied; none unless only checking
}

// Migrate brings the database to this program's version, whatever
// database.auto_migrate says; with check it only tells what is pending. A
// database of a newer version gives an error and stays as it is.
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
