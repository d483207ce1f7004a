package store

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/db"
)

// Store gives access to the ledger in one database: transfers with their files,
// batches and results, and what workers share. It is safe for concurrent use.
type Store struct{ db *db.DB }

// Options tunes the connection. The zero value is ready for use.
type Options = db.Options

// Open connects to the database at url, "sqlite:PATH" or
// "mysql://user:password@host:3306/name". It creates the folder of a SQLite
// file, but no tables: see Migrate.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	d, err := db.Open(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return &Store{db: d}, nil
}

// DB returns the connection, for other adapters on the same database.
func (s *Store) DB() *db.DB { return s.db }

// Now returns the database's time, by which all of its rows go.
func (s *Store) Now() time.Time { return s.db.Now() }

// Close ends all connections. A second call does nothing.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Describe returns the database's address without its password.
func (s *Store) Describe() string { return s.db.Describe() }

// Dialect returns the kind of database.
func (s *Store) Dialect() db.Dialect { return s.db.Dialect() }

// Migrate brings the schema up to date and returns the migrations that it
// applied. See the DB's Migrate.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	return s.db.Migrate(ctx)
}

// Pending lists the migrations that the database lacks, oldest first.
func (s *Store) Pending(ctx context.Context) ([]string, error) { return s.db.Pending(ctx) }

// TryMigrate reports what would keep Migrate from its work.
func (s *Store) TryMigrate(ctx context.Context) error { return s.db.TryMigrate(ctx) }

// ServerInfo asks the database for its version, clock and durability.
func (s *Store) ServerInfo(ctx context.Context) (db.ServerInfo, error) { return s.db.ServerInfo(ctx) }
