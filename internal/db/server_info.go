package db

import (
	"context"
	"fmt"
	"time"
)

// ServerInfo is what a database says of itself.
type ServerInfo struct {
	Version string
	Now     time.Time // its clock, UTC

	// Durable reports whether a commit survives a power cut.
	Durable bool
	Setting string // what decides that, as the server names it
}

// ServerInfo asks the database about itself.
func (d *DB) ServerInfo(ctx context.Context) (ServerInfo, error) {
	ask := d.askMySQL
	if d.Dialect() == SQLite {
		ask = d.askSQLite
	}
	server, err := ask(ctx)
	if err != nil {
		return server, fmt.Errorf("ask the database about itself: %w", err)
	}
	return server, nil
}

func (d *DB) askMySQL(ctx context.Context) (ServerInfo, error) {
	var row struct {
		Version string
		Now     time.Time
		Flush   int
	}
	err := d.Session(ctx).
		Raw("SELECT VERSION() AS version, UTC_TIMESTAMP(6) AS now, @@innodb_flush_log_at_trx_commit AS flush").
		Scan(&row).Error
	return ServerInfo{
		Version: row.Version, Now: row.Now.UTC(), Durable: row.Flush == 1,
		Setting: fmt.Sprintf("innodb_flush_log_at_trx_commit=%d", row.Flush),
	}, err
}

// askSQLite reads the version; its clock is this host's, and how it commits is
// this program's choice.
func (d *DB) askSQLite(ctx context.Context) (ServerInfo, error) {
	var row struct {
		Version string
		Sync    int
	}
	err := d.Session(ctx).
		Raw("SELECT sqlite_version() AS version, synchronous AS sync FROM pragma_synchronous").Scan(&row).Error
	return ServerInfo{
		Version: row.Version, Now: d.Now().UTC(), Durable: row.Sync >= 2,
		Setting: fmt.Sprintf("journal_mode=WAL synchronous=%d", row.Sync),
	}, err
}
