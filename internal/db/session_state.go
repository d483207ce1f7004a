package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrSession reports a connection on which the server reads text in another way
// than it is written.
var ErrSession = errors.New("the database reads statements in another way than they are written")

// sessionState is what the server says of one connection.
type sessionState struct {
	client, connection, results string // character sets
	collation                   string
	sqlMode                     string
	version                     string
}

// readSession asks the server. It reads what is in force: a proxy in between may
// answer OK to a SET and not pass it on.
func readSession(ctx context.Context, conn driver.QueryerContext) (s sessionState, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT @@character_set_client, @@character_set_connection,
		@@character_set_results, @@collation_connection, @@sql_mode, VERSION()`, nil)
	if err != nil {
		return s, fmt.Errorf("read session variables: %w", err)
	}
	into := []*string{&s.client, &s.connection, &s.results, &s.collation, &s.sqlMode, &s.version}
	values := make([]driver.Value, len(into))
	err = rows.Next(values)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return s, fmt.Errorf("read session variables: %w", err)
	}
	for i, value := range values {
		if text, ok := value.([]byte); ok { // else it is NULL, which is not one of the wanted values
			*into[i] = string(text)
		}
	}
	return s, nil
}

// check returns an error when text would be read or stored in another way than it
// is written.
func (s sessionState) check(collation string) error {
	for _, v := range []struct{ name, is, want string }{
		{"character_set_client", s.client, "utf8mb4"},
		{"character_set_connection", s.connection, "utf8mb4"},
		{"character_set_results", s.results, "utf8mb4"},
		{"collation_connection", s.collation, collation},
	} {
		if v.is != v.want {
			return fmt.Errorf("%w: after SET NAMES utf8mb4 COLLATE %s, %s is %q; let connections set their character set, "+
				"also through a proxy if there is one", ErrSession, collation, v.name, v.is)
		}
	}
	for _, mode := range []string{"NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"} {
		if strings.Contains(s.sqlMode, mode) {
			return fmt.Errorf("%w: sql_mode still has %s after it was set; let connections set their sql_mode, "+
				"also through a proxy if there is one", ErrSession, mode)
		}
	}
	if !strings.Contains(s.sqlMode, "STRICT_ALL_TABLES") {
		return fmt.Errorf("%w: sql_mode lacks STRICT_ALL_TABLES after it was set, and values that do not fit would be changed; "+
			"let connections set their sql_mode, also through a proxy if there is one", ErrSession)
	}
	return nil
}
