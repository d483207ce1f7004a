package db

import (
	"context"
	"errors"
	"fmt"
)

// MigrationsTable is the table in which the applied migrations are noted.
const MigrationsTable = migrationsTable

// ErrCopying reports a database into which another one is being copied, or was until the copy
// was cut off.
var ErrCopying = errors.New("another database is copied into this one, and that has not ended")

// copyMark begins the row of the table of migrations that says so: no program opens the
// database as long as it is there.
const copyMark = "copy of "

// CheckCurrent returns an error unless the database has the tables of this program.
func (d *DB) CheckCurrent(ctx context.Context) error {
	pending, err := d.Pending(ctx)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("%w: %s lacks %d migrations; run 'baler migrate' for it first", ErrNotMigrated, d.description, len(pending))
	}
	return err
}

// BeganCopy says which database is being copied into this one; empty: none.
func (d *DB) BeganCopy(ctx context.Context) (from string, err error) {
	have, err := d.noted(d.Session(ctx))
	for id := range have {
		if len(id) > len(copyMark) && id[:len(copyMark)] == copyMark {
			return id[len(copyMark):], err
		}
	}
	return "", err
}

// BeginCopy marks the database: another one is copied into it.
func (d *DB) BeginCopy(ctx context.Context, from string) error {
	return d.Session(ctx).Exec("INSERT INTO "+migrationsTable+" (id, fingerprint) VALUES (?, '')", ClipText(copyMark+from, 190)).Error
}

// EndCopy removes the mark.
func (d *DB) EndCopy(ctx context.Context) error {
	return d.Session(ctx).Exec("DELETE FROM " + migrationsTable + " WHERE id LIKE '" + copyMark + "%'").Error
}

// refuseCopy is an error when a copy into the database has not ended.
func (d *DB) refuseCopy(have map[string]string) error {
	for id := range have {
		if len(id) > len(copyMark) && id[:len(copyMark)] == copyMark {
			return fmt.Errorf("%w: run 'baler migrate --from' again with %s, or drop the tables of %s", ErrCopying,
				id[len(copyMark):], d.description)
		}
	}
	return nil
}
