package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/glebarez/sqlite"
	mysqldriver "github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/dispatch"
)

// Options tunes a Store. The zero value is ready for use.
type Options struct {
	MaxConnections int              // 0: 16 for MySQL, 8 for SQLite
	Now            func() time.Time // nil: time.Now
	Log            *slog.Logger     // nil: discards
}

// Store gives access to one database. It is safe for concurrent use.
type Store struct {
	db      *gorm.DB
	dialect Dialect
	where   string
	now     func() time.Time
	log     *slog.Logger
}

// The dispatcher and the aggregator work on a Store.
var (
	_ dispatch.Store          = (*Store)(nil)
	_ batcher.AggregatorStore = (*Store)(nil)
)

// Open connects to the database at url, "sqlite:PATH" or
// "mysql://user:password@host:3306/name". It creates the folder of a SQLite
// file, but no tables: see Migrate.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: t.dialect, where: t.where(), now: o.Now, log: o.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if t.mysql != nil {
		t.mysql.Logger = driverLog{s.log}
	}
	dialector, err := t.dialector()
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", s.where, err)
	}
	s.db, err = gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard, // errors are returned, not printed
		NowFunc:                func() time.Time { return s.now().UTC() },
		DisableAutomaticPing:   true,
	})
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", s.where, err)
	}
	if err := s.callbacks(); err != nil {
		return nil, fmt.Errorf("open database %s: %w", s.where, err)
	}
	if err := s.configurePool(o.MaxConnections); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := s.Ping(ctx); err != nil {
		_ = s.Close() // the ping's error is the one to report
		return nil, err
	}
	return s, nil
}

// callbacks changes what GORM does with statements.
func (s *Store) callbacks() error {
	if s.dialect == MySQL {
		return replaceBulkInsert(s.db)
	}
	return replaceInterrupted(s.db)
}

// openTime is how long a database may take to answer for the first time: a
// host that says nothing at all is named soon.
const openTime = 8 * time.Second

func (s *Store) configurePool(most int) error {
	pool, err := s.db.DB()
	if err != nil {
		return fmt.Errorf("open database %s: %w", s.where, err)
	}
	if most <= 0 {
		most = 16
		if s.dialect == SQLite {
			most = 8
		}
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	if s.dialect == MySQL {
		pool.SetConnMaxIdleTime(idleTimeout / 3) // the pool looks about as seldom as that: it lets go before the server does
		pool.SetConnMaxLifetime(time.Hour)
	}
	return nil
}

// Close ends all connections. Closing twice is fine, and so are connections
// that the server has ended before: a process that was frozen has them.
func (s *Store) Close() error {
	pool, err := s.db.DB()
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	err = pool.Close()
	if err == nil {
		return nil
	}
	if s.dialect == MySQL {
		s.log.Debug("a connection ended without a farewell", "error", err)
		return nil
	}
	return fmt.Errorf("close database: %w", err)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	pool, err := s.db.DB()
	if err == nil {
		err = pool.PingContext(ctx)
	}
	if err != nil {
		return fmt.Errorf("database %s does not answer: %w", s.where, err)
	}
	return nil
}

// Describe describes the database to a person, without its password.
func (s *Store) Describe() string { return s.where }

// Dialect tells which kind of database this is.
func (s *Store) Dialect() Dialect { return s.dialect }

func (t target) dialector() (gorm.Dialector, error) {
	if t.dialect == SQLite {
		return t.sqliteDialector()
	}
	c, err := mysqldriver.NewConnector(t.mysql)
	if err != nil {
		return nil, fmt.Errorf("configure driver: %w", err)
	}
	pool := sql.OpenDB(session{c})
	// The version is only asked for by GORM's migrator, which Baler does not use.
	return gormmysql.New(gormmysql.Config{Conn: pool, SkipInitializeWithVersion: true}), nil
}

func (t target) sqliteDialector() (gorm.Dialector, error) {
	path, err := filepath.Abs(t.path)
	if err != nil {
		return nil, fmt.Errorf("resolve path: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create folder: %w", err)
	}
	q := url.Values{"_pragma": {
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(NORMAL)", // in WAL mode a crash of the process loses nothing; a power cut may lose the last commits, never the file
		"foreign_keys(0)",
		"cache_size(-16384)",
	}}
	// Writers take their lock at BEGIN: waiting works there, upgrading a read lock would not.
	q.Set("_txlock", "immediate")
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return sqlite.Open(u.String()), nil
}

// driverLog takes what the MySQL driver would print to standard error: broken
// connections, which it also returns as errors.
type driverLog struct{ log *slog.Logger }

// Print implements the driver's Logger.
func (l driverLog) Print(v ...any) {
	l.log.Debug("mysql driver", "message", fmt.Sprint(v...))
}

// session prepares each new MySQL connection.
type session struct{ driver.Connector }

// idleTimeout is how long the server waits for the next statement of a
// connection before it ends it. A process that freezes within a transaction
// keeps rows locked that everyone needs, by default for eight hours.
const idleTimeout = 15 * time.Second

// sqlMode has the server refuse what does not fit instead of bending it, and
// read quotes and backslashes as this package writes them, whatever its default is.
const sqlMode = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// Connect opens a connection that reads what is committed: gap locks of the
// default isolation would make concurrent bulk inserts wait for each other.
func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	x, ok := conn.(driver.ExecerContext)
	if !ok {
		return conn, nil
	}
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		fmt.Sprintf("SET SESSION wait_timeout = %d, time_zone = '+00:00', sql_mode = '%s'", int(idleTimeout.Seconds()), sqlMode),
	} {
		if _, err := x.ExecContext(ctx, statement, nil); err != nil {
			_ = conn.Close() // the connection is of no use; its error is the one to report
			return nil, err
		}
	}
	return conn, nil
}
