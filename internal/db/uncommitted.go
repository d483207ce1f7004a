package db

import (
	"context"
	"fmt"
)

type uncommittedKey struct{}

// ReadUncommitted returns a context under which Session reads what is there at the moment, also
// what others have not committed. On MySQL it has a small pool of connections of its own, which
// write nothing, so that many who look take no connection from those who work. It is for
// people and programs that look. What decides about a write is read without it; see OnPrimary.
// SQLite always reads what is committed: readers and writers do not wait for each other there.
func ReadUncommitted(ctx context.Context) context.Context {
	return context.WithValue(ctx, uncommittedKey{}, true)
}

// ReadCommitted undoes ReadUncommitted.
func ReadCommitted(ctx context.Context) context.Context {
	return context.WithValue(ctx, uncommittedKey{}, false)
}

// Uncommitted reports whether ctx may read what is not committed.
func Uncommitted(ctx context.Context) bool {
	yes, _ := ctx.Value(uncommittedKey{}).(bool) // false when it was never asked for
	return yes
}

// openUncommitted makes the pool of ReadUncommitted, half as large as the main one. It connects
// when it is first used.
func (d *DB) openUncommitted(t target, most int) (err error) {
	if d.dialect != MySQL {
		return nil
	}
	if d.uncommitted, err = d.open(t, readUncommitted); err != nil {
		return err
	}
	pool, err := d.uncommitted.DB()
	if err != nil {
		return err
	}
	if most <= 0 {
		most = defaultConnections
	}
	most = (most + 1) / 2
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	limitAge(pool)
	return nil
}

func (d *DB) closeUncommitted() error {
	if d.uncommitted == nil {
		return nil
	}
	pool, err := d.uncommitted.DB()
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return pool.Close()
}
