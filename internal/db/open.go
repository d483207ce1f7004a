package db

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/balerhq/baler/internal/sleep"
)

// Options tunes a DB. The zero value is ready for use.
type Options struct {
	MaxConnections int          // 0: 16 for MySQL, 8 for SQLite
	Log            *slog.Logger // nil: discards
	TLS            *tls.Config  // MySQL; nil: as the URL says

	// Now stands for the database's time. Nil: that of the MySQL server, or of this host
	// with SQLite.
	Now func() time.Time

	// HostClock is the clock of this host; nil: time.Now. Only tests need another.
	HostClock func() time.Time
}

// DB is a pool of connections to one database. It is safe for concurrent use.
type DB struct {
	gorm             *gorm.DB
	dialect          Dialect
	description      string
	clock            clock
	uncommitted      *gorm.DB // a second pool, for ReadUncommitted; nil when there is none
	showsCertificate bool     // of this client, to the server
	readOnly         string   // why nothing can be written; "" when that is not known to be so
	log              *slog.Logger

	writer chan struct{} // holds what the one transaction that writes has put in, see writeOnce

	followsServer bool // the clock is corrected by that of the server
}

// Open connects to the database at url, "sqlite:PATH" or
// "mysql://user:password@host:3306/name". It creates the folder of a SQLite
// file, but no tables: see Migrate.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	d := &DB{dialect: t.dialect, description: t.describe(), log: o.Log, followsServer: o.Now == nil && t.dialect == MySQL}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.clock.host, d.clock.log = firstOf(o.Now, o.HostClock), d.log
	if t.mysql != nil {
		t.mysql.Logger = driverLog{d.log}
		t.mysql.TLS = o.TLS // nil leaves it to the URL's option
		d.showsCertificate = o.TLS != nil && len(o.TLS.Certificates) > 0
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err = d.connect(ctx, t, o.MaxConnections)
	if err != nil && t.dialect == SQLite {
		err = d.connectReadOnly(ctx, t, o.MaxConnections, err)
	}
	switch {
	case err != nil && whole.Err() != nil: // drivers have errors of their own for that
		return nil, fmt.Errorf("open database %s: %w: %w", d.description, whole.Err(), err)
	case err != nil:
		return nil, d.openError(err)
	}
	if err := d.openUncommitted(t, o.MaxConnections); err != nil {
		return nil, errors.Join(d.openError(err), d.Close())
	}
	d.keepTime(ctx)
	return d, nil
}

// firstOf returns the first clock that is set, else that of the host.
func firstOf(clocks ...func() time.Time) func() time.Time {
	for _, c := range clocks {
		if c != nil {
			return c
		}
	}
	return time.Now
}

// connect opens the pool, and one connection, to see that the database answers.
func (d *DB) connect(ctx context.Context, t target, most int) (err error) {
	if d.gorm, err = d.open(t, readCommitted); err != nil {
		return err
	}
	d.writer = make(chan struct{}, 1)
	if err = d.configurePool(most); err == nil {
		err = d.firstPing(ctx)
	}
	if err != nil {
		_ = d.Close() // the error before is the one to report
	}
	return err
}

// busyPause is the time between two attempts to open a SQLite file that is locked.
const busyPause = 10 * time.Millisecond

// firstPing opens a connection. It waits for other processes that open a new SQLite file at the
// same time: SQLite's own waiting does not apply to the switch to WAL mode.
func (d *DB) firstPing(ctx context.Context) error {
	var busy error
	for {
		err := d.ping(ctx)
		if d.dialect != SQLite || !IsTransient(err) {
			if ctx.Err() != nil && busy != nil {
				return busy // it says why the time was not enough
			}
			return err
		}
		busy = err
		if sleep.For(ctx, busyPause) != nil {
			return busy
		}
	}
}

func (d *DB) open(t target, i isolation) (*gorm.DB, error) {
	dialector, err := t.dialector(i)
	if err != nil {
		return nil, err
	}
	g, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard, // errors are returned, not printed
		NowFunc:                func() time.Time { return d.Now().UTC() },
		DisableAutomaticPing:   true,
		TranslateError:         true,
	})
	if err == nil && d.dialect == SQLite {
		err = replaceInterrupted(g)
	}
	return g, err
}

// openTimeout bounds the first ping, so that an unreachable host is reported soon.
const openTimeout = 8 * time.Second

func (d *DB) configurePool(most int) error {
	pool, err := d.gorm.DB()
	if err != nil {
		return err
	}
	if most <= 0 {
		most = defaultConnections
		if d.dialect == SQLite {
			most = 8
		}
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	if d.dialect == MySQL {
		limitAge(pool)
	}
	return nil
}

// defaultConnections is how many connections to MySQL the main pool has at most.
const defaultConnections = 16

// limitAge closes connections to MySQL in time.
func limitAge(pool *sql.DB) {
	pool.SetConnMaxIdleTime(idleTimeout / 3) // the pool checks about that often, and so closes a connection before the server does
	pool.SetConnMaxLifetime(time.Hour)
}

// Close ends all connections. A second call does nothing. Connections that the
// server has closed before, as after a process was frozen, are no error.
func (d *DB) Close() error {
	pool, err := d.gorm.DB()
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	err = errors.Join(d.closeUncommitted(), pool.Close())
	if err == nil {
		return nil
	}
	if d.dialect == MySQL {
		d.log.Debug("connection was not closed cleanly", "error", err)
		return nil
	}
	return fmt.Errorf("close database: %w", err)
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	err := d.ping(ctx)
	switch {
	case err == nil:
		return nil
	case IsDenied(err):
		return fmt.Errorf("database %s refuses this account: %w", d.description, err)
	case isAnswer(err):
		return fmt.Errorf("database %s answers with an error: %w", d.description, err)
	}
	return fmt.Errorf("database %s does not answer: %w", d.description, err)
}

func (d *DB) ping(ctx context.Context) error {
	pool, err := d.gorm.DB()
	if err != nil {
		return err
	}
	return pool.PingContext(ctx)
}

// Describe returns the database's address without its password.
func (d *DB) Describe() string { return d.description }

// Log returns the log of the options, never nil.
func (d *DB) Log() *slog.Logger { return d.log }

// Dialect returns the kind of database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Pool returns the pool of connections, for its statistics.
func (d *DB) Pool() (*sql.DB, error) { return d.gorm.DB() }

// Session returns GORM's handle for statements under ctx; see OnReplica and ReadUncommitted.
func (d *DB) Session(ctx context.Context) *gorm.DB { return d.reader(ctx).WithContext(ctx) }

func (t target) dialector(i isolation) (gorm.Dialector, error) {
	if t.dialect == SQLite {
		return t.sqliteDialector()
	}
	c, err := mysqldriver.NewConnector(t.mysql)
	if err != nil {
		return nil, fmt.Errorf("configure driver: %w", err)
	}
	kind := new(serverKind)
	pool := sql.OpenDB(session{Connector: c, collation: cmp.Or(t.mysql.Collation, defaultCollation), kind: kind, isolation: i})
	// The version is only asked for by GORM's migrator, which Baler does not use.
	dialector := &gormmysql.Dialector{Config: &gormmysql.Config{Conn: pool, SkipInitializeWithVersion: true}}
	return mysqlDialect{Dialector: dialector, kind: kind}, nil
}

// Exec runs a statement that holds its values as literals: GORM would look for
// parameters in its text.
func (d *DB) Exec(ctx context.Context, statement string) error {
	pool, err := d.gorm.DB()
	if err == nil {
		_, err = pool.ExecContext(ctx, statement)
	}
	return err
}
