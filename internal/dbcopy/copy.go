package dbcopy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// ErrNotEmpty is the error for a new database that has rows already.
var ErrNotEmpty = errors.New("the new database is not empty")

// ErrDiffers is the error for a table that is not the same in both databases in the end.
var ErrDiffers = errors.New("the databases differ")

// TableCopy says what was copied and compared of one table.
type TableCopy struct {
	Name   string
	Rows   int64
	Digest string // of all rows, in any order
}

// Copy copies all tables, in order of their names. Nothing may write to either database
// meanwhile: quiet returns an error when something may, and the comparison finds what did. done
// is called with each table that is the same in both.
func Copy(ctx context.Context, from, to *db.DB, quiet func(context.Context) error, done func(TableCopy)) error {
	if err := from.CheckCurrent(ctx); err != nil {
		return fmt.Errorf("the old database: %w", err)
	}
	if err := quiet(ctx); err != nil {
		return err
	}
	tables, err := pairs(ctx, from, to)
	if err != nil {
		return err
	}
	if err := begin(ctx, from, to, tables); err != nil {
		return err
	}
	for i := range tables {
		err := from.Snapshot(ctx, func(view *db.DB) error { return tables[i].copyRows(ctx, view, to) })
		if err != nil {
			return fmt.Errorf("copy table %s: %w", tables[i].name, err)
		}
	}
	for i := range tables {
		err := tables[i].compare(ctx, from, to, done)
		if errors.Is(err, ErrDiffers) { // what has begun since the first look is the likely reason
			if runs := quiet(ctx); runs != nil {
				err = fmt.Errorf("%w; %w", err, runs)
			}
		}
		if err != nil {
			return fmt.Errorf("compare table %s: %w", tables[i].name, err)
		}
	}
	if err := copyCounters(ctx, from, to); err != nil {
		return fmt.Errorf("copy the counters of numbers: %w", err)
	}
	if err := quiet(ctx); err != nil {
		return err
	}
	return to.EndCopy(ctx)
}

// begin marks the new database, which must be empty unless a copy of the same one was begun.
func begin(ctx context.Context, from, to *db.DB, tables []table) error {
	begun, err := to.BeganCopy(ctx)
	if err != nil {
		return err
	}
	if begun != "" && !strings.HasPrefix(from.Describe(), begun) {
		return fmt.Errorf("%w: a copy of %s into it was begun; drop its tables to copy another one", ErrNotEmpty, begun)
	}
	if begun != "" {
		return nil
	}
	for _, t := range tables {
		var rows int64
		if err := to.Session(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM " + t.name + " LIMIT 1) r").Scan(&rows).Error; err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("%w: table %s of %s has rows; give a database without any", ErrNotEmpty, t.name, to.Describe())
		}
	}
	return to.BeginCopy(ctx, from.Describe())
}

// compare reads the table in both databases.
func (t *table) compare(ctx context.Context, from, to *db.DB, done func(TableCopy)) error {
	old, err := t.digest(ctx, from)
	if err != nil {
		return err
	}
	copied, err := t.digest(ctx, to)
	if err != nil {
		return err
	}
	if old != copied {
		return fmt.Errorf("%w: %s has %d rows, %s has %d (digests %s and %s): drop the new tables and begin again; nothing may write meanwhile",
			ErrDiffers, from.Describe(), old.Rows, to.Describe(), copied.Rows, old.Digest, copied.Digest)
	}
	done(old)
	return nil
}
