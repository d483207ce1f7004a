package dbcopy

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/balerhq/baler/internal/db"
)

// counted are the tables whose numbers are never given twice, also not after their rows are
// deleted: others may know them.
func counted() []string {
	return []string{"transfers", "batches", "attempts", "dead_letters", "webhook_deliveries", "audit_log"}
}

var autoIncrement = regexp.MustCompile(`AUTO_INCREMENT=(\d+)`)

// copyCounters makes the new database continue with the numbers of the old one.
func copyCounters(ctx context.Context, from, to *db.DB) error {
	for _, table := range counted() {
		last, err := lastNumber(ctx, from, table)
		if err != nil {
			return err
		}
		if last == 0 {
			continue
		}
		if to.Dialect() == db.MySQL {
			err = to.Exec(ctx, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", table, last+1))
		} else if err = to.Exec(ctx, "DELETE FROM sqlite_sequence WHERE name = '"+table+"'"); err == nil {
			err = to.Exec(ctx, fmt.Sprintf("INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)", table, last))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lastNumber is the last number that a table has given.
func lastNumber(ctx context.Context, d *db.DB, table string) (last int64, err error) {
	if d.Dialect() == db.SQLite {
		err = d.Session(ctx).Raw("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?", table).Scan(&last).Error
		return last, err
	}
	var name, text string
	if err := d.Session(ctx).Raw("SHOW CREATE TABLE "+table).Row().Scan(&name, &text); err != nil {
		return 0, err
	}
	found := autoIncrement.FindStringSubmatch(text)
	if found == nil {
		return 0, nil
	}
	next, err := strconv.ParseInt(found[1], 10, 64)
	return next - 1, err
}
