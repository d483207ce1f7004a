package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gorm.io/gorm"
)

//go:embed migrations
var migrations embed.FS

// Goose and gormigrate note that a migration of some number has run. This notes its text,
// too: a program refuses a database whose tables another build has made, and names both.

// migrationsTable is where the applied versions are noted.
const migrationsTable = "baler_migrations"

// Migrate brings the database to this program's version and reports which
// migrations it applied. It runs under a lock, so that any number of processes
// may call it at once. A database of a newer version gives ErrSchemaNewer, one of another build ErrSchemaOther, and it stays
// as it is.
func (d *DB) Migrate(ctx context.Context) (applied []string, err error) {
	pool, err := d.gorm.DB()
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: connect: %w", err)
	}
	defer func() {
		if closeErr := conn.Close(); !errors.Is(closeErr, sql.ErrConnDone) { // else what ended it is told already
			err = errors.Join(err, closeErr)
		}
	}()
	unlock, err := d.lockMigrations(ctx, conn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	db := d.on(ctx, conn) // one connection does it all: a pool may have no second one
	pending, err := d.pending(db)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	if err := d.makeMigrationsTable(db); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	for _, id := range pending {
		done, err := d.apply(db, id)
		if err != nil {
			return applied, fmt.Errorf("migrate: %w", err)
		}
		if done {
			applied = append(applied, id)
		}
	}
	return applied, nil
}

// errTrial rolls back a trial write.
var errTrial = errors.New("a trial")

// TryMigrate reports what would keep Migrate from its work. It makes the table of
// migrations, and writes to it what it rolls back.
func (d *DB) TryMigrate(ctx context.Context) error {
	db := d.Session(ctx)
	if err := d.makeMigrationsTable(db); err != nil {
		return fmt.Errorf("try to migrate: %w", err)
	}
	err := db.Transaction(func(tx *gorm.DB) error {
		return cmp.Or(tx.Exec("INSERT INTO "+migrationsTable+" (id) VALUES ('a trial')").Error, errTrial)
	})
	if !errors.Is(err, errTrial) {
		return fmt.Errorf("try to migrate: %w", err)
	}
	return nil
}

// makeMigrationsTable makes the table of migrations, unless there is one.
func (d *DB) makeMigrationsTable(db *gorm.DB) error {
	if err := d.checkWritable(db); err != nil {
		return err
	}
	return db.Exec("CREATE TABLE IF NOT EXISTS " + migrationsTable + " (id VARCHAR(190) NOT NULL PRIMARY KEY, " +
		"fingerprint VARCHAR(64) NOT NULL DEFAULT '')").Error
}

// checkWritable makes sure that the server takes rows, before a migration makes the
// tables for them: MySQL cannot undo those.
func (d *DB) checkWritable(db *gorm.DB) error {
	if d.dialect == SQLite {
		return d.writable()
	}
	var variables []struct {
		Name  string `gorm:"column:Variable_name"`
		Value string
	}
	err := db.Raw("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')").Scan(&variables).Error
	if err != nil {
		return fmt.Errorf("read binlog_format: %w", err)
	}
	logged, format := false, ""
	for _, v := range variables {
		switch strings.ToLower(v.Name) {
		case "log_bin":
			logged = v.Value == "ON"
		case "binlog_format":
			format = v.Value
		}
	}
	if logged && format == "STATEMENT" {
		return fmt.Errorf("%w: binlog_format is STATEMENT; set it to ROW or MIXED on the server", ErrBinlogFormat)
	}
	return nil
}

// on is the database by way of one connection.
func (d *DB) on(ctx context.Context, conn *sql.Conn) *gorm.DB {
	db := d.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = conn
	return db
}

// Pending lists the migrations that the database lacks, oldest first; none
// means that it is up to date. A database of a newer version gives ErrSchemaNewer, one of
// another build ErrSchemaOther.
func (d *DB) Pending(ctx context.Context) ([]string, error) {
	return d.pending(d.Session(ctx))
}

func (d *DB) pending(db *gorm.DB) ([]string, error) {
	known, err := d.versions()
	if err != nil {
		return nil, err
	}
	have, err := d.noted(db)
	if err != nil {
		return nil, err
	}
	if err := d.refuseCopy(have); err != nil {
		return nil, err
	}
	for id := range have {
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("%w: it has migration %s, this program knows %s at most; use the newer program",
				ErrSchemaNewer, id, known[len(known)-1])
		}
	}
	for id, fingerprint := range have {
		if as, err := d.fingerprint(id); err != nil {
			return nil, err
		} else if fingerprint != as {
			return nil, fmt.Errorf("%w: the tables of %s are not those that this program expects (migration %s); "+
				"use the build that made them, or let this one make new ones: give another database, or drop these tables with all that they hold",
				ErrSchemaOther, d.description, id)
		}
	}
	return slices.DeleteFunc(known, func(id string) bool { _, has := have[id]; return has }), nil
}

// fingerprint tells the text of a migration, but for its blanks, from any other.
func (d *DB) fingerprint(id string) (string, error) {
	src, err := migrations.ReadFile(path.Join(d.migrationsDir(), id+".sql"))
	if err != nil {
		return "", fmt.Errorf("read migration %s: %w", id, err)
	}
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(string(src)), " ")))
	return hex.EncodeToString(sum[:]), nil
}

// migrationRow notes an applied migration.
type migrationRow struct {
	ID          string
	Fingerprint string // empty in databases of builds that wrote none
}

// noted gives the fingerprints of the migrations that the database has. GORM's own HasTable takes
// an error for a no.
func (d *DB) noted(db *gorm.DB) (have map[string]string, err error) {
	query := "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
	if d.dialect == SQLite {
		query = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	}
	var tables int
	err = db.Raw(query, migrationsTable).Scan(&tables).Error
	var rows []migrationRow
	if err == nil && tables > 0 {
		err = db.Table(migrationsTable).Find(&rows).Error
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", migrationsTable, err)
	}
	have = make(map[string]string, len(rows))
	for _, r := range rows {
		have[r.ID] = r.Fingerprint
	}
	return have, nil
}

// versions lists the migrations that this program knows, oldest first.
func (d *DB) versions() ([]string, error) {
	entries, err := fs.ReadDir(migrations, d.migrationsDir())
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	ids := make([]string, len(entries)) // ReadDir sorts by name
	for i, e := range entries {
		ids[i] = strings.TrimSuffix(e.Name(), ".sql")
	}
	return ids, nil
}

func (d *DB) migrationsDir() string { return path.Join("migrations", string(d.dialect)) }

// apply runs one file of statements, each ended by a semicolon at a line's end,
// and notes it. It reports false when another process has been faster. MySQL
// commits at every such statement: each of them can be run again. SQLite does all
// of a file, or nothing.
func (d *DB) apply(db *gorm.DB, id string) (done bool, err error) {
	src, err := migrations.ReadFile(path.Join(d.migrationsDir(), id+".sql"))
	if err != nil {
		return false, fmt.Errorf("read migration %s: %w", id, err)
	}
	err = db.Transaction(func(tx *gorm.DB) error {
		var noted int64
		if err := tx.Table(migrationsTable).Where("id = ?", id).Count(&noted).Error; err != nil || noted > 0 {
			return err
		}
		for statement := range strings.SplitSeq(string(src), ";\n") {
			if statement = strings.TrimSpace(statement); statement == "" {
				continue
			}
			if err := tx.Exec(statement).Error; err != nil {
				return fmt.Errorf("migration %s: %w", id, err)
			}
		}
		fingerprint, err := d.fingerprint(id)
		if err != nil {
			return err
		}
		done = true
		return tx.Exec("INSERT INTO "+migrationsTable+" (id, fingerprint) VALUES (?, ?)", id, fingerprint).Error
	})
	return done, err
}
