package db

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// driverLog logs what the MySQL driver would print to standard error: broken
// connections, which it also returns as errors.
type driverLog struct{ log *slog.Logger }

// Print implements the driver's Logger.
func (l driverLog) Print(v ...any) {
	l.log.Debug("mysql driver", "message", fmt.Sprint(v...))
}

// session prepares each new MySQL connection.
type session struct {
	driver.Connector

	collation string // of the connection; one of utf8mb4
	kind      *serverKind
	isolation isolation
}

// isolation is the isolation of a connection, as SET SESSION TRANSACTION takes it; empty:
// readCommitted.
type isolation string

const (
	// readCommitted avoids the gap locks of the default isolation, which would make
	// concurrent bulk inserts wait for each other.
	readCommitted isolation = "ISOLATION LEVEL READ COMMITTED"

	// readUncommitted also keeps the server from holding back, for a long query, what
	// others have deleted or changed meanwhile. Such a connection writes nothing.
	readUncommitted isolation = "ISOLATION LEVEL READ UNCOMMITTED, READ ONLY"
)

// idleTimeout is how long the server waits for the next statement of a
// connection before it closes it. A process that freezes inside a transaction
// keeps rows locked that all others need; the server's default is eight hours.
const idleTimeout = 15 * time.Second

// sqlMode makes the server reject values that do not fit instead of changing
// them, and read backslashes in quotes as the driver writes them.
const sqlMode = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// sessionSettings make statements do exactly what they say, whatever the server sets for
// new connections: rows are neither withheld (sql_select_limit) nor left uncommitted
// (autocommit), checks run, and no limit of the server refuses or ends a statement.
// The highest limit is that of signed numbers, because Vitess reads no higher ones.
// Settings that only MariaDB or only MySQL has are in comments that only that server
// executes.
const sessionSettings = `autocommit = 1, completion_type = 'NO_CHAIN',
	sql_select_limit = 9223372036854775807, sql_safe_updates = 0, sql_big_selects = 1, sql_auto_is_null = 0,
	foreign_key_checks = 1, unique_checks = 1, default_storage_engine = InnoDB
	/*M! , check_constraint_checks = 1, max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */`

// driverLostConn is what the driver says of a connection that the server has closed during the
// handshake. It has no exported error for that, unlike for all later times.
const driverLostConn = "bad connection"

// Connect opens a connection. The character set is set by a statement, because a server
// may ignore the one that the driver asks for, or change it by init_connect.
func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := s.Connector.Connect(ctx)
	if err != nil {
		if err.Error() == driverLostConn {
			err = driver.ErrBadConn
		}
		return nil, err
	}
	conn, ok := c.(driverConn)
	if !ok {
		return nil, errors.Join(errors.New("the MySQL driver's connection lacks methods"), c.Close())
	}
	if err := s.prepare(ctx, conn); err != nil {
		_ = conn.Close() // the connection is of no use; its error is the one to report
		return nil, err
	}
	return &mysqlConn{driverConn: conn}, nil
}

func (s session) prepare(ctx context.Context, conn driverConn) error {
	for _, statement := range []string{
		"SET NAMES utf8mb4 COLLATE " + s.collation,
		"SET SESSION TRANSACTION " + string(cmp.Or(s.isolation, readCommitted)),
		fmt.Sprintf("SET SESSION wait_timeout = %d, time_zone = '+00:00', sql_mode = '%s'", int(idleTimeout.Seconds()), sqlMode),
		"SET SESSION " + sessionSettings,
	} {
		if _, err := conn.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	state, err := readSession(ctx, conn)
	if err != nil {
		return err
	}
	s.kind.note(state.version)
	return state.check(s.collation)
}
