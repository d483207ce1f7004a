package db

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ServerInfo is what a database says of itself.
type ServerInfo struct {
	Version string
	Now     time.Time // its clock, UTC

	// Durable reports whether a commit survives a power cut.
	Durable bool
	Setting string // what decides that, as the server names it
	Remedy  string // what to change on a server so that it does; empty for SQLite, and when it does
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

func (d *DB) askMySQL(ctx context.Context) (server ServerInfo, err error) {
	var row struct {
		Version string
		Now     time.Time
	}
	err = d.Session(ctx).Raw("SELECT VERSION() AS version, UTC_TIMESTAMP(6) AS now").Scan(&row).Error
	if err != nil {
		return server, err
	}
	server = ServerInfo{Version: row.Version, Now: row.Now.UTC()}
	server.Setting, server.Remedy, err = d.mysqlDurability(ctx)
	server.Durable = server.Remedy == ""
	return server, err
}

// mysqlDurability reads what decides whether a commit survives a power cut, and what to
// change if it does not. With a binary log, a commit waits for InnoDB to have prepared it
// and for the log: after a crash, the server undoes what the log lacks.
func (d *DB) mysqlDurability(ctx context.Context) (setting, remedy string, err error) {
	var shown []struct {
		Name  string `gorm:"column:Variable_name"`
		Value string
	}
	const names = " WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', " +
		"'binlog_storage_engine', 'Innodb_redo_log_enabled')"
	has := make(map[string]string)
	for _, kind := range []string{"VARIABLES", "STATUS"} { // the last is a status, of MySQL alone
		if err := d.Session(ctx).Raw("SHOW GLOBAL " + kind + names).Scan(&shown).Error; err != nil {
			return "", "", err
		}
		for _, v := range shown {
			has[strings.ToLower(v.Name)] = v.Value
		}
		shown = nil
	}
	var settings, remedies []string
	needs := func(name, value, remedy string) {
		settings = append(settings, name+"="+has[name])
		if has[name] != value {
			remedies = append(remedies, remedy)
		}
	}
	needs("innodb_flush_log_at_trx_commit", "1", "set innodb_flush_log_at_trx_commit=1")
	if has["log_bin"] == "ON" && has["binlog_storage_engine"] == "" { // in an engine, the log is as durable as the tables
		needs("sync_binlog", "1", "set sync_binlog=1 or end the binary log")
	}
	if has["innodb_redo_log_enabled"] == "OFF" {
		needs("innodb_redo_log_enabled", "ON", "run ALTER INSTANCE ENABLE INNODB REDO_LOG")
	}
	return strings.Join(settings, " "), strings.Join(remedies, ", and "), nil
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
