package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

// snapshotIdle is how long a snapshot may wait between two statements: who reads it may be a
// person who looks at the first page. It keeps no row locked, as a transaction does that writes.
const snapshotIdle = 24 * 60 * 60 // seconds

// errSnapshot refuses what would write to a snapshot.
var errSnapshot = errors.New("a snapshot is only read from")

// Snapshot calls do with the database as it is at this moment, whatever others write
// meanwhile. It takes one connection until do returns, which runs one statement at a time. Long
// snapshots make the server keep what is deleted meanwhile.
func (d *DB) Snapshot(ctx context.Context, do func(*DB) error) (err error) {
	pool, err := d.gorm.DB()
	if err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("take a snapshot: connect: %w", err)
	}
	// The connection is not used again: its settings are others, and closing it ends the transaction.
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	if err := d.beginSnapshot(ctx, conn); err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	view := &DB{gorm: d.on(ctx, conn), dialect: d.dialect, description: d.description, readOnly: errSnapshot.Error(), log: d.log}
	view.clock.host, view.clock.log = d.Now, slog.New(slog.DiscardHandler)
	return do(view)
}

// beginSnapshot begins the transaction, and reads so that it sees the database from now on.
func (d *DB) beginSnapshot(ctx context.Context, conn *sql.Conn) error {
	statements := []string{"BEGIN"}
	if d.dialect == MySQL {
		statements = []string{
			fmt.Sprintf("SET SESSION wait_timeout = %d, net_write_timeout = %d", snapshotIdle, snapshotIdle),
			"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
			"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
		}
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	if d.dialect == MySQL {
		return nil
	}
	var tables int
	return conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master").Scan(&tables)
}
