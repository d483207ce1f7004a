package db

import (
	"errors"
	"fmt"
	"regexp"

	gormmysql "gorm.io/driver/mysql"
)

// ErrMisread reports a row with a value that its column should not hold, as after a
// damaged file or a bad restore. The tables' own checks keep such values out.
var ErrMisread = errors.New("a row of the database is invalid")

// scanError is how the standard library reports a value of another type; it has no
// type of error for that.
var scanError = regexp.MustCompile(`^sql: Scan error on column index \d+, name "([^"]*)"`)

// Misread replaces the error of a value of another type by one in plain words that
// wraps ErrMisread.
func Misread(err error) error {
	if err == nil {
		return nil
	}
	column := scanError.FindStringSubmatch(err.Error())
	if column == nil {
		return err
	}
	return fmt.Errorf("%w: its column %s holds a value of another type; correct or delete that row, or restore the database",
		ErrMisread, column[1])
}

// mysqlDialect is GORM's, but for its errors: Baler reads the server's own.
type mysqlDialect struct {
	*gormmysql.Dialector

	kind *serverKind
}

// Translate implements gorm.ErrorTranslator.
func (mysqlDialect) Translate(err error) error { return Misread(err) }
