package load

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/internal/testkit"
)

// env is a database to load into, and a way to look at it from outside.
type env struct {
	*tableload.Store
	dialect db.Dialect
	db      *sql.DB
	ownJSON bool // the database stores JSON in a form of its own: MySQL, not MariaDB
}

// onEach runs a test on a database of every kind.
func onEach(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, url string) { test(t, newEnv(t, url)) })
}

func newEnv(t *testing.T, url string) *env {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{})
	testkit.Must(t, err)
	_, err = s.Migrate(t.Context())
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	ownJSON := s.Dialect() == db.MySQL && !testkit.IsMariaDB(t, url)
	return &env{tableload.New(s.DB()), s.Dialect(), testkit.Database(t, url), ownJSON}
}

// rows reads a query's rows, NULL as "NULL", cells joined by "|".
func (e *env) rows(t *testing.T, query string) []string {
	t.Helper()
	rows, err := e.db.Query(query)
	testkit.Must(t, err)
	defer rows.Close()
	columns, _ := rows.Columns()
	var all []string
	for rows.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		testkit.Must(t, rows.Scan(to...))
		line := make([]string, len(cells))
		for i, c := range cells {
			if line[i] = c.String; !c.Valid {
				line[i] = "NULL"
			}
		}
		all = append(all, strings.Join(line, "|"))
	}
	testkit.Must(t, rows.Err())
	return all
}

func (e *env) loader(t *testing.T, a Args) *Loader {
	t.Helper()
	p, err := a.Resolve()
	testkit.Must(t, err)
	l, err := NewLoader(t.Context(), e.Store, p, nil)
	testkit.Must(t, err)
	return l
}

func (e *env) rejects(t *testing.T, file int64) map[int64]string {
	t.Helper()
	bad := make(map[int64]string)
	for _, row := range e.rows(t, fmt.Sprintf("SELECT line, reason FROM rejected_lines WHERE file_no = %d ORDER BY line", file)) {
		line, reason, _ := strings.Cut(row, "|")
		var no int64
		fmt.Sscan(line, &no)
		bad[no] = reason
	}
	return bad
}
