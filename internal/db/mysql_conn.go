package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// ErrReadOnly reports a statement that writes, on a server or in a session that only
// reads. It is transient: after a failover, the next connection may reach the new
// primary.
var ErrReadOnly = errors.New("the database accepts no writes")

// ErrNoSpace reports a server whose disk or folder of temporary files is full. It is an
// outage, which ends when there is space again.
var ErrNoSpace = errors.New("the database server has no space left")

// ErrBinlogFormat reports a server whose binary log cannot hold what Baler writes.
var ErrBinlogFormat = errors.New("the database server's binary log cannot hold writes under READ COMMITTED")

// driverConn is what a connection of the MySQL driver can do.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// mysqlConn is a connection that says why the server refuses to write, and that the
// pool drops then. The driver's own option for that, RejectReadOnly, drops the reason
// as well. It writes the zero time as what it is.
type mysqlConn struct {
	driverConn

	readOnly bool
}

// zeroTime is the zero time, as SQLite and Literals.Time have it.
const zeroTime = "0001-01-01 00:00:00"

// CheckNamedValue implements driver.NamedValueChecker. The driver writes the zero time as
// 0000-00-00, which MySQL neither stores in this mode nor compares with.
func (c *mysqlConn) CheckNamedValue(v *driver.NamedValue) error {
	if err := c.driverConn.CheckNamedValue(v); err != nil {
		return err
	}
	if t, ok := v.Value.(time.Time); ok && t.IsZero() {
		v.Value = zeroTime
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *mysqlConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.driverConn.ExecContext(ctx, query, args)
	return result, c.explain(err)
}

// QueryContext implements driver.QueryerContext.
func (c *mysqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.driverConn.QueryContext(ctx, query, args)
	return rows, c.explain(err)
}

// IsValid implements driver.Validator.
func (c *mysqlConn) IsValid() bool { return !c.readOnly && c.driverConn.IsValid() }

// explain adds to an error of the server what to do about it.
func (c *mysqlConn) explain(err error) error {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return err
	}
	if lacksSpace(e) {
		return fmt.Errorf("%w: %w; free space on the server's disk, and in its tmpdir", ErrNoSpace, err)
	}
	switch e.Number {
	case mysqlReadOnly, mysqlReadOnlyTransaction, mysqlReadOnlyMode:
		c.readOnly = true
		return fmt.Errorf("%w: %w; connect to the primary, or end the read-only mode "+
			"(read_only, super_read_only, tx_read_only, transaction_read_only)", ErrReadOnly, err)
	case mysqlBinlog:
		return fmt.Errorf("%w: %w; set binlog_format = ROW or MIXED on the server", ErrBinlogFormat, err)
	case mysqlTableDenied, mysqlColumnDenied:
		return fmt.Errorf("%w (%s)", err, deniedHint(e.Message))
	}
	return err
}

// deniedHint is what to do when the server denies the account a statement. The message
// begins with its name.
func deniedHint(message string) string {
	switch right, _, _ := strings.Cut(message, " command denied"); right {
	case "ALTER": // to set the counters of numbers in a copy
		return "'baler migrate --from' needs ALTER and DELETE, which deploy/grants.sql names; " +
			"grant them to this account until the copy has ended"
	case "CREATE", "INDEX", "DROP", "REFERENCES":
		return "run 'baler migrate' with an account that has the right " + right + ", or grant it to this one; deploy/grants.sql makes both"
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return "grant this account " + right + " on the database; deploy/grants.sql has all rights that it needs"
	}
	return "give this account the rights of deploy/grants.sql"
}
