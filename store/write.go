package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	gosqlite "github.com/glebarez/go-sqlite"
	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

// maxWriteTries bounds how often one transaction is tried; with the backoff below
// that is a little over five seconds.
const maxWriteTries = 10

// write runs fn in one transaction, again from the start when the database
// says that trying again may help. fn must not keep state between tries.
func (s *Store) write(ctx context.Context, what string, fn func(tx *gorm.DB, now time.Time) error) error {
	for try := 1; ; try++ {
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			return fn(tx, s.stamp())
		})
		if err == nil {
			return nil
		}
		if !IsTransient(err) || try == maxWriteTries || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		conflict(ctx, err)
		s.log.DebugContext(ctx, "database conflict, trying again", "what", what, "try", try, "error", err)
		if sleep.For(ctx, backoff(try)) != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// stamp is the time that one transaction writes: what the database can hold.
func (s *Store) stamp() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// backoff doubles from 5 ms to 1 s, with jitter so that rivals part.
func backoff(try int) time.Duration {
	d := min(5*time.Millisecond<<(try-1), time.Second)
	return d/2 + rand.N(d/2+1)
}

// errRace says that another writer was faster, and that a new try will see it.
var errRace = errors.New("another writer was faster")

// The codes are those of MySQL's server errors and SQLite's result codes.
const (
	mysqlLockWait       = 1205
	mysqlDeadlock       = 1213
	mysqlDuplicate      = 1062
	mysqlTooMany        = 1040
	mysqlShutdown       = 1053
	mysqlReadOnly       = 1290
	mysqlRecordChanged  = 1020 // MariaDB's snapshot isolation
	mysqlKilled         = 1927
	mysqlPacketTooLarge = 1153
	mysqlBadJSON        = 3140
	mysqlCheck          = 4025 // MariaDB checks JSON so
	sqliteBusy          = 5
	sqliteLocked        = 6
	sqliteIO            = 10
	sqliteTooBig        = 18
	sqliteConstraint    = 19
	sqliteMismatch      = 20
	sqlitePrimary       = 1555
	sqliteUnique        = 2067
	sqlitePrimaryOfCode = 0xff // extended codes keep the primary one in the low byte
)

// IsTransient reports whether the same transaction may succeed when run again:
// a conflict with another writer, or a connection that broke.
func IsTransient(err error) bool {
	if errors.Is(err, errRace) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlLockWait, mysqlDeadlock, mysqlTooMany, mysqlShutdown, mysqlReadOnly, mysqlRecordChanged, mysqlKilled:
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		code := e.Code() & sqlitePrimaryOfCode
		return code == sqliteBusy || code == sqliteLocked
	}
	return false
}

// IsRejected reports whether the database refuses what it was given, and would
// again: a value too long, out of range, of a wrong form. Everything else that
// is not Transient is trouble with the database itself, such as an outage.
func IsRejected(err error) bool {
	if errors.Is(err, errRowTooLarge) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		class := string(e.SQLState[:2]) // 22: data exception, 23: constraint violation
		return class == "22" || class == "23" || e.Number == mysqlPacketTooLarge || e.Number == mysqlCheck || e.Number == mysqlBadJSON
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		switch e.Code() & sqlitePrimaryOfCode {
		case sqliteTooBig, sqliteConstraint, sqliteMismatch:
			return true
		}
	}
	return false
}

// IsOutage reports whether err is trouble on the way to the database or with the
// database itself, and not with what was asked: waiting may help.
func IsOutage(err error) bool {
	if IsTransient(err) {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		return e.Code()&sqlitePrimaryOfCode == sqliteIO
	}
	return false
}

// duplicate reports whether err says that a key was there already.
func duplicate(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == mysqlDuplicate
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		return e.Code() == sqlitePrimary || e.Code() == sqliteUnique
	}
	return false
}
