package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

const (
	// flushTime is how long flushPages waits at most.
	flushTime = time.Minute

	// fewPages is how many changed pages do not disturb a measurement.
	fewPages = 200
)

// flushPages has the server write what was changed in memory to disk, which it otherwise does
// while pages are measured.
func flushPages(ctx context.Context, db *sql.DB) (err error) {
	const setting = "innodb_max_dirty_pages_pct"
	var before string
	if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL."+setting).Scan(&before); err != nil {
		return fmt.Errorf("flush pages: %w", err)
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL "+setting+" = 0"); err != nil {
		return fmt.Errorf("flush pages: %w", err)
	}
	for begun := time.Now(); time.Since(begun) < flushTime; {
		var name, dirty string
		if err := db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").Scan(&name, &dirty); err != nil {
			return fmt.Errorf("flush pages: %w", err)
		}
		if n, err := strconv.Atoi(dirty); err == nil && n <= fewPages {
			break
		}
		if err := sleep.For(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL "+setting+" = "+before); err != nil {
		return fmt.Errorf("flush pages: %w", err)
	}
	return nil
}
