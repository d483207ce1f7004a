package db

import (
	"strings"
	"testing"
)

type sharedRow struct {
	a, b, c, d, no int64
	text           string
}

func sharedColumns() []BulkColumn[sharedRow] {
	number := func(name string, of func(*sharedRow) int64) BulkColumn[sharedRow] {
		return BulkColumn[sharedRow]{
			Name: name, Same: func(x, y *sharedRow) bool { return of(x) == of(y) },
			Write: func(l Literals, r *sharedRow) Literals { return l.Number(of(r)) },
		}
	}
	return []BulkColumn[sharedRow]{
		number("a", func(r *sharedRow) int64 { return r.a }), number("b", func(r *sharedRow) int64 { return r.b }),
		number("c", func(r *sharedRow) int64 { return r.c }), number("no", func(r *sharedRow) int64 { return r.no }),
		number("d", func(r *sharedRow) int64 { return r.d }),
		{
			Name: "text", IsSet: func(r *sharedRow) bool { return r.text != "" },
			Write: func(l Literals, r *sharedRow) Literals { return l.Text(r.text) },
		},
	}
}

func TestInsertWithConstants(t *testing.T) {
	for name, c := range map[string]struct {
		rows []sharedRow
		want string
	}{
		"four columns shared": {
			rows: []sharedRow{{1, 2, 3, 4, 5, "x"}, {1, 2, 3, 4, 6, "it's"}},
			want: "INSERT INTO t (a,b,c,d,no,text) WITH v(no,text) AS (VALUES (5,'x'),(6,'it''s')) SELECT 1,2,3,4,no,text FROM v",
		},
		"three shared":       {rows: []sharedRow{{1, 2, 3, 4, 5, "x"}, {1, 2, 3, 5, 6, "y"}}},
		"text that is bytes": {rows: []sharedRow{{1, 2, 3, 4, 5, "x"}, {1, 2, 3, 4, 6, "é"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(insertWithConstants("t", sharedColumns(), c.rows)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestOnlyMariaDBTakesConstants(t *testing.T) {
	for version, want := range map[string]bool{
		"10.11.19-MariaDB-0+deb12u1": true, "10.3.39-MariaDB": true, "11.8.2-MariaDB-log": true, "10.2.44-MariaDB": false,
		"8.4.3": false, "8.0.40-0ubuntu0.24.04.1": false, "": false,
	} {
		var k serverKind
		if k.note(version); k.constants.Load() != want {
			t.Errorf("%q: got %v", version, !want)
		}
	}
}

// A server that takes constants gets them, and another, or few rows, the values of each row.
func TestStatementOfBulkInsert(t *testing.T) {
	d := newEnv(t, MySQL)
	rows := make([]sharedRow, constantsRows)
	for i := range rows {
		rows[i].no = int64(i)
	}
	size := func(*sharedRow) int { return 10 }
	text := func(rows []sharedRow, size func(*sharedRow) int) string {
		return string(bulkStatement(d.gorm, "t", sharedColumns(), rows, size))
	}
	if got := text(rows, size); strings.Contains(got, " WITH v(") != takesConstants(d.gorm) {
		t.Errorf("rows that share values: %.80s", got)
	}
	if got := text(rows[1:], size); strings.Contains(got, " WITH v(") {
		t.Errorf("few rows: %.80s", got)
	}
	if got := text(rows, func(*sharedRow) int { return constantsBytes + 1 }); strings.Contains(got, " WITH v(") {
		t.Errorf("long rows: %.80s", got)
	}
}
