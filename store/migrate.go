package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

//go:embed migrations
var migrations embed.FS

// migrationsTable is where the applied versions are noted.
const migrationsTable = "baler_migrations"

// lockName and lockSeconds belong to MySQL's named lock, which keeps two
// processes from migrating at once.
const (
	lockName    = "baler_migrate"
	lockSeconds = 60
)

// Migrate brings the database to this program's version and reports which
// migrations it applied. It runs under a lock, so that any number of processes
// may call it at once. A database of a newer version gives ErrNewer and stays
// as it is.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	pool, err := s.db.DB()
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	unlock, err := s.lockMigrations(ctx, conn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	before, err := s.Pending(ctx)
	if err != nil || len(before) == 0 {
		return nil, err
	}
	if err := s.migrator(ctx, conn).Migrate(); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return before, nil
}

// Pending lists the migrations that the database lacks, oldest first; none
// means that it is up to date. A database of a newer version gives ErrNewer.
func (s *Store) Pending(ctx context.Context) ([]string, error) {
	known, err := s.versions()
	if err != nil {
		return nil, err
	}
	var have []string
	db := s.db.WithContext(ctx)
	if db.Migrator().HasTable(migrationsTable) {
		if err := db.Table(migrationsTable).Order("id").Pluck("id", &have).Error; err != nil {
			return nil, fmt.Errorf("read %s: %w", migrationsTable, err)
		}
	}
	for _, id := range have {
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("%w: it has migration %s, this program knows %s at most; use the newer program",
				ErrNewer, id, known[len(known)-1])
		}
	}
	return slices.DeleteFunc(known, func(id string) bool { return slices.Contains(have, id) }), nil
}

// versions lists the migrations that this program knows, oldest first.
func (s *Store) versions() ([]string, error) {
	entries, err := fs.ReadDir(migrations, s.migrationsDir())
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	ids := make([]string, len(entries)) // ReadDir sorts by name
	for i, e := range entries {
		ids[i] = strings.TrimSuffix(e.Name(), ".sql")
	}
	return ids, nil
}

func (s *Store) migrationsDir() string { return path.Join("migrations", string(s.dialect)) }

func (s *Store) migrator(ctx context.Context, conn *sql.Conn) *gormigrate.Gormigrate {
	ids, _ := s.versions() // Pending has read them just before
	steps := make([]*gormigrate.Migration, len(ids))
	for i, id := range ids {
		steps[i] = &gormigrate.Migration{ID: id, Migrate: func(tx *gorm.DB) error { return s.apply(tx, id) }}
	}
	db := s.db.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = conn // the connection that holds the lock
	return gormigrate.New(db, &gormigrate.Options{
		TableName:                 migrationsTable,
		IDColumnName:              "id",
		IDColumnSize:              190,
		UseTransaction:            s.dialect == SQLite, // MySQL commits at every DDL statement
		ValidateUnknownMigrations: true,
	}, steps)
}

// apply runs one file of statements, each ended by a semicolon at a line's end.
func (s *Store) apply(tx *gorm.DB, id string) error {
	src, err := migrations.ReadFile(path.Join(s.migrationsDir(), id+".sql"))
	if err != nil {
		return fmt.Errorf("read migration %s: %w", id, err)
	}
	for statement := range strings.SplitSeq(string(src), ";\n") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		if err := tx.Exec(statement).Error; err != nil {
			return fmt.Errorf("migration %s: %w", id, err)
		}
	}
	return nil
}

// lockMigrations takes the lock on MySQL; SQLite's transaction is lock enough.
func (s *Store) lockMigrations(ctx context.Context, conn *sql.Conn) (unlock func() error, err error) {
	if s.dialect == SQLite {
		return func() error { return nil }, nil
	}
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", lockName, lockSeconds).Scan(&got); err != nil {
		return nil, fmt.Errorf("migrate: take lock: %w", err)
	}
	if got.Int64 != 1 {
		return nil, fmt.Errorf("migrate: another process has held the lock %q for %d s; try again when it is done", lockName, lockSeconds)
	}
	return func() error {
		// The lock is released even when ctx has ended: the connection goes back to the pool.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(?)", lockName); err != nil {
			return fmt.Errorf("migrate: release lock: %w", err)
		}
		return nil
	}, nil
}
