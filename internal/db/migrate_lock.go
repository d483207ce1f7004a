package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// migrateLock names MySQL's lock that keeps two processes from migrating one
// database at once. Names are the whole server's, and 64 characters at most.
const migrateLock = "LEFT(CONCAT('baler_migrate.', DATABASE()), 64)"

// lockPatience is how long a process waits for another to have migrated.
const lockPatience = time.Minute

// lockPoll is how often it asks. Waiting inside the server would look like a
// dead connection once it takes longer than a read may.
const lockPoll = 50 * time.Millisecond

// lockMigrations takes the lock on MySQL; SQLite's transaction is lock enough.
func (d *DB) lockMigrations(ctx context.Context, conn *sql.Conn) (unlock func() error, err error) {
	if d.Dialect() == SQLite {
		return func() error { return nil }, nil
	}
	for waited := time.Duration(0); ; waited += lockPoll {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+migrateLock+", 0)").Scan(&got); err != nil {
			return nil, fmt.Errorf("migrate: take lock: %w", err)
		}
		if got.Int64 == 1 {
			break
		}
		if waited >= lockPatience {
			return nil, fmt.Errorf("migrate: another process has been migrating this database for %v; try again when it is done", lockPatience)
		}
		if err := sleep.For(ctx, lockPoll); err != nil {
			return nil, fmt.Errorf("migrate: wait for another process that migrates: %w", err)
		}
	}
	return func() error {
		// The lock is released even when ctx has ended: the connection goes back to the pool.
		// It is released, too, when the connection has ended.
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+migrateLock+")")
		if err != nil && !errors.Is(err, sql.ErrConnDone) && !errors.Is(err, driver.ErrBadConn) {
			return fmt.Errorf("migrate: release lock: %w", err)
		}
		return nil
	}, nil
}
