package db

import (
	"context"
	"database/sql/driver"
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
type session struct{ driver.Connector }

// idleTimeout is how long the server waits for the next statement of a
// connection before it closes it. A process that freezes inside a transaction
// keeps rows locked that all others need; the server's default is eight hours.
const idleTimeout = 15 * time.Second

// sqlMode makes the server reject values that do not fit instead of changing
// them, and read quotes and backslashes as Literals writes them.
const sqlMode = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

// Connect opens a connection with READ COMMITTED isolation: the gap locks of the
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
