package db

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"gorm.io/gorm"
)

// When values that all rows share are given once. The server then keeps the other values
// in a temporary table until it has read them all. That costs too much for few rows and
// for few shared columns; and with texts of more than 512 characters, the table would be
// on the server's disk.
const (
	constantsRows    = 100
	constantsColumns = 4
	constantsBytes   = 600
)

// insertWithConstants is one INSERT that gives a value once when all rows have it; nil
// when that does not pay. Reading such a row takes MariaDB a quarter less time.
func insertWithConstants[R any](table string, columns []BulkColumn[R], rows []R) Literals {
	var shared, own []BulkColumn[R]
	for _, c := range columns {
		if c.Same != nil && !anyRow(rows, func(r *R) bool { return !c.Same(r, &rows[0]) }) {
			shared = append(shared, c)
		} else {
			own = append(own, c)
		}
	}
	if len(shared) < constantsColumns || len(own) == 0 {
		return nil
	}
	l := appendHead(make(Literals, 0, 512+64*len(rows)), table, slices.Concat(shared, own))
	l = append(l, " WITH v("...)
	for i, c := range own {
		if i > 0 {
			l = append(l, ',')
		}
		l = append(l, c.Name...)
	}
	from := len(l)
	l = appendRows(append(l, ") AS (VALUES "...), own, rows)
	if bytes.Contains(l[from:], []byte(introducer)) {
		// In one column, texts in quotes and texts by their bytes may have two collations,
		// which the server refuses to put together.
		return nil
	}
	l = append(l, ") SELECT "...)
	for _, c := range shared {
		l = append(c.Write(l, &rows[0]), ',')
	}
	for i, c := range own {
		if i > 0 {
			l = append(l, ',')
		}
		l = append(l, c.Name...)
	}
	return append(l, " FROM v"...)
}

// serverKind is what BulkInsert needs to know of a MySQL server. Each new connection
// finds it out.
type serverKind struct{ constants atomic.Bool }

// note takes the version of the server. MariaDB reads a list of rows in a WITH since 10.3;
// MySQL writes such lists in another way.
func (k *serverKind) note(version string) {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	k.constants.Store(err == nil && strings.Contains(version, "MariaDB") && (major > 10 || major == 10 && minor >= 3))
}

// takesConstants reports whether the server takes the statements of insertWithConstants.
func takesConstants(tx *gorm.DB) bool {
	d, ok := tx.Dialector.(mysqlDialect)
	return ok && d.kind != nil && d.kind.constants.Load()
}
