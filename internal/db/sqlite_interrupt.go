package db

import (
	"context"
	"errors"
	"fmt"

	gosqlite "github.com/glebarez/go-sqlite"
	"gorm.io/gorm"
)

// sqliteInterrupt is the code of a statement whose context
// ended while it ran.
const sqliteInterrupt = 9

// Interrupted replaces the error of an interrupted SQLite statement by one that
// wraps ctx.Err(), for which callers check.
func Interrupted(ctx context.Context, err error) error {
	e, ok := errors.AsType[*gosqlite.Error](err)
	if !ok || e.Code() != sqliteInterrupt || ctx.Err() == nil {
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
