package db

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/ncruces/go-sqlite3/driver"
)

const (
	// keptStatements is how many statements a connection keeps: a transfer needs about
	// forty, and each takes some KiB.
	keptStatements = 64

	// keptText is the longest text of a statement that is kept. Longer texts have lists of
	// values, and seldom come again with as many.
	keptText = 4 << 10
)

var errSQLiteDriver = errors.New("the SQLite driver is of another version than this program expects")

// keepingConnector makes SQLite connections that keep their statements, because reading the
// text takes longer than running most of them. GORM's own cache has a goroutine that never
// ends, and an sql.Stmt does not serve transactions.
type keepingConnector struct{ sqldriver.Connector }

func newKeepingConnector(dsn string) (sqldriver.Connector, error) {
	c, err := new(driver.SQLite).OpenConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("configure driver: %w", err)
	}
	return keepingConnector{c}, nil
}

// Connect implements driver.Connector.
func (k keepingConnector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: %T", errSQLiteDriver, c), c.Close())
	}
	kept, err := lru.NewLRU(keptStatements, func(_ string, s *keptStatement) { s.forget() })
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &keepingConn{sqliteConn: inner, kept: kept}, nil
}

// sqliteConn is what a connection of the driver is.
type sqliteConn interface {
	driver.Conn
	sqldriver.ExecerContext
	sqldriver.NamedValueChecker
}

// sqliteStatement is what a statement of the driver is.
type sqliteStatement interface {
	sqldriver.Stmt
	sqldriver.StmtExecContext
	sqldriver.StmtQueryContext
	sqldriver.NamedValueChecker
}

// keepingConn is one connection. database/sql gives it to one user at a time.
type keepingConn struct {
	sqliteConn

	kept *lru.LRU[string, *keptStatement]
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *keepingConn) PrepareContext(ctx context.Context, text string) (sqldriver.Stmt, error) {
	known, _ := c.kept.Get(text)
	if known != nil && !known.used {
		known.used = true
		return known, nil
	}
	s, err := c.sqliteConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	inner, ok := s.(sqliteStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: %T", errSQLiteDriver, s), s.Close())
	}
	fresh := &keptStatement{sqliteStatement: inner, conn: c, text: text, used: true}
	if known != nil || !worthKeeping(text) {
		fresh.forgotten = true
		return fresh, nil
	}
	c.kept.Add(text, fresh)
	return fresh, nil
}

// worthKeeping excludes also statements that are not for rows: some pragmas answer with what
// was true when they were read.
func worthKeeping(text string) bool {
	if len(text) > keptText {
		return false
	}
	for _, word := range [...]string{"SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "} {
		if strings.HasPrefix(text, word) {
			return true
		}
	}
	return false
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	c.kept.Purge() // SQLite closes no connection with statements
	return c.sqliteConn.Close()
}

// keptStatement is a statement that its connection keeps when the user closes it.
type keptStatement struct {
	sqliteStatement

	conn      *keepingConn
	text      string
	used      bool
	forgotten bool // by the connection: it ends with its use
}

// Close implements driver.Stmt. The driver has reset the statement when it ran to its end, or
// when its rows were closed.
func (s *keptStatement) Close() error {
	s.used = false
	if s.forgotten {
		return s.sqliteStatement.Close()
	}
	return nil
}

// forget ends the statement unless it is used.
func (s *keptStatement) forget() {
	s.forgotten = true
	if !s.used {
		_ = s.sqliteStatement.Close() // tells the error of its last run again
	}
}

// NumInput implements driver.Stmt: this statement counts its arguments itself, because
// eachRow stands for all of them.
func (s *keptStatement) NumInput() int { return -1 }

func (s *keptStatement) checkCount(got int) error {
	if want := s.sqliteStatement.NumInput(); want >= 0 && want != got {
		return fmt.Errorf("%w: %d for %d", errArguments, got, want)
	}
	return nil
}

var errArguments = errors.New("number of arguments of a statement")

// CheckNamedValue implements driver.NamedValueChecker.
func (s *keptStatement) CheckNamedValue(v *sqldriver.NamedValue) error {
	if _, ok := v.Value.(*eachRow); ok {
		return nil
	}
	return s.sqliteStatement.CheckNamedValue(v)
}

// ExecContext implements driver.StmtExecContext.
func (s *keptStatement) ExecContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	if len(args) == 1 {
		if rows, ok := args[0].Value.(*eachRow); ok {
			return sqldriver.ResultNoRows, s.keepUnless(rows.exec(ctx, s.sqliteStatement))
		}
	}
	if err := s.checkCount(len(args)); err != nil {
		return nil, err
	}
	result, err := s.sqliteStatement.ExecContext(ctx, args)
	return result, s.keepUnless(err)
}

// QueryContext implements driver.StmtQueryContext.
func (s *keptStatement) QueryContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	if err := s.checkCount(len(args)); err != nil {
		return nil, err
	}
	rows, err := s.sqliteStatement.QueryContext(ctx, args)
	return rows, s.keepUnless(err)
}

// keepUnless forgets a statement that has failed: it may still have values.
func (s *keptStatement) keepUnless(err error) error {
	if err != nil && !s.forgotten {
		s.conn.kept.Remove(s.text)
	}
	return err
}
