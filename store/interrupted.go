package store

import (
	"context"
	"errors"
	"fmt"

	gosqlite "github.com/glebarez/go-sqlite"
	"gorm.io/gorm"
)

// sqliteInterrupt is what a statement of SQLite ends with when its context
// ends while it runs.
const sqliteInterrupt = 9

// interrupted says of such an error whose doing it is: callers ask for the
// context's error, which SQLite does not know.
func interrupted(ctx context.Context, err error) error {
	e, ok := errors.AsType[*gosqlite.Error](err)
	if !ok || e.Code() != sqliteInterrupt || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// replaceInterrupted does so behind every statement.
func replaceInterrupted(db *gorm.DB) error {
	const name = "baler:interrupted"
	tell := func(tx *gorm.DB) {
		if tx.Error != nil {
			tx.Error = interrupted(tx.Statement.Context, tx.Error)
		}
	}
	all := db.Callback()
	return errors.Join(
		all.Create().Register(name, tell), all.Query().Register(name, tell), all.Update().Register(name, tell),
		all.Delete().Register(name, tell), all.Row().Register(name, tell), all.Raw().Register(name, tell),
	)
}
