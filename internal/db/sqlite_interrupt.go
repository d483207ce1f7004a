package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
)

// Interrupted replaces the error of an interrupted SQLite statement, and that of a transaction
// which was rolled back because ctx ended, by one that wraps ctx.Err(), for which callers check.
func Interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, sqlite3.INTERRUPT) && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// replaceInterrupted applies Interrupted to every statement.
func replaceInterrupted(db *gorm.DB) error {
	const name = "baler:interrupted"
	tell := func(tx *gorm.DB) {
		if tx.Error != nil {
			tx.Error = Interrupted(tx.Statement.Context, tx.Error)
		}
	}
	all := db.Callback()
	return errors.Join(
		all.Create().Register(name, tell), all.Query().Register(name, tell), all.Update().Register(name, tell),
		all.Delete().Register(name, tell), all.Row().Register(name, tell), all.Raw().Register(name, tell),
	)
}
