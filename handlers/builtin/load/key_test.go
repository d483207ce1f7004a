package load

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/internal/testkit"
)

// A line without a value of the key is rejected. A database that counts rows by
// the key would give it the number of a later line, and drop that as a duplicate.
func TestLinesWithoutTheKeyAreRejected(t *testing.T) {
	const lines = `{"id":1,"s":"a"}
{"s":"no id"}
{"id":null,"s":"null"}
{"id":2,"s":"the real 2"}
{"id":2,"s":"again"}`
	for name, tt := range map[string]struct {
		id   string // the type of the column
		on   tableload.OnDuplicate
		held string
	}{
		"ignored":  {"int", tableload.DuplicateIgnore, "[1|a 2|the real 2]"},
		"updated":  {"int", tableload.DuplicateUpdate, "[1|a 2|again]"},
		"refused":  {"int", tableload.DuplicateError, "[1|a 2|the real 2]"},
		"of texts": {"text", tableload.DuplicateIgnore, "[1|a 2|the real 2]"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, e *env) {
				l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"id:" + tt.id, "s:text"}, Key: []string{"id"}, OnDuplicate: tt.on})
				counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(lines))
				if err != nil || counts.Lines != 5 || counts.Bad+counts.Duplicates != 3 {
					t.Errorf("%+v, %v", counts, err)
				}
				if held := fmt.Sprint(e.rows(t, "SELECT id, s FROM t ORDER BY id")); held != tt.held {
					t.Errorf("the table holds %s, want %s", held, tt.held)
				}
				bad := e.rejects(t, 1)
				for _, line := range []int64{2, 3} {
					if bad[line] != "column id: no value, and it is part of the key" {
						t.Errorf("line %d: %q", line, bad[line])
					}
				}
			})
		})
	}
}

// A key that counts by itself counts no lines either.
func TestLinesWithoutACountingKeyAreRejected(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		number := "INTEGER PRIMARY KEY AUTOINCREMENT"
		if e.dialect == "mysql" {
			number = "BIGINT AUTO_INCREMENT PRIMARY KEY"
		}
		if _, err := e.db.ExecContext(t.Context(), "CREATE TABLE t (id "+number+", s VARCHAR(20))"); err != nil {
			t.Fatal(err)
		}
		l := e.loader(t, Args{Into: "t", Key: []string{"id"}})
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(`{"s":"no id"}`+"\n"+`{"id":1,"s":"real"}`))
		if err != nil || counts.Loaded != 1 || counts.Bad != 1 {
			t.Errorf("%+v, %v", counts, err)
		}
		if held := fmt.Sprint(e.rows(t, "SELECT id, s FROM t")); held != "[1|real]" {
			t.Errorf("the table holds %s", held)
		}
	})
}

// Keys are the same when their bytes are. A table whose collation takes more for the
// same cannot hold both rows: the second line is rejected, not dropped as a duplicate.
func TestKeysCompareByBytes(t *testing.T) {
	const lines = `{"k":"a","n":1}
{"k":"A","n":2}
{"k":"a ","n":3}
{"k":"á","n":4}
{"k":"a","n":5}
{"k":"","n":6}
{"k":" ","n":7}`
	for name, tt := range map[string]struct {
		mysql, sqlite string // the table; empty: created by the load
		on            tableload.OnDuplicate
		held          map[string]string // by dialect
	}{
		"ignored": {"", "", tableload.DuplicateIgnore, map[string]string{"": "[ |7 A|2 a |3 a|1 |6 á|4]"}},
		"updated": {"", "", tableload.DuplicateUpdate, map[string]string{"": "[ |7 A|2 a |3 a|5 |6 á|4]"}},
		"ignored by a collation": {
			"CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_general_ci UNIQUE, n INT)", "CREATE TABLE t (k TEXT COLLATE NOCASE UNIQUE, n INT)",
			tableload.DuplicateIgnore, map[string]string{"mysql": "[a|1 |6]", "sqlite": "[ |7 a |3 a|1 |6 á|4]"},
		},
		"updated by a collation": {
			"CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_general_ci UNIQUE, n INT)", "CREATE TABLE t (k TEXT COLLATE NOCASE UNIQUE, n INT)",
			tableload.DuplicateUpdate, map[string]string{"mysql": "[a|5 |6]", "sqlite": "[ |7 a |3 a|5 |6 á|4]"},
		},
		"another unique key": {
			"CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_nopad_bin UNIQUE, n INT, one INT DEFAULT 1 UNIQUE)",
			"CREATE TABLE t (k TEXT UNIQUE, n INT, one INT DEFAULT 1 UNIQUE)",
			tableload.DuplicateIgnore, map[string]string{"": "[a|1]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, e *env) {
				create := map[db.Dialect]string{db.MySQL: tt.mysql, db.SQLite: tt.sqlite}[e.dialect]
				if e.ownJSON { // MySQL, which calls it otherwise
					create = strings.Replace(create, "utf8mb4_nopad_bin", "utf8mb4_0900_bin", 1)
				}
				if create != "" {
					_, err := e.db.ExecContext(t.Context(), create)
					testkit.Must(t, err)
				}
				l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"k:text", "n:int"}, Key: []string{"k"}, OnDuplicate: tt.on})
				counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(lines))
				held := e.rows(t, "SELECT k, n FROM t")
				slices.Sort(held)
				want := tt.held[""] + tt.held[string(e.dialect)]
				if err != nil || counts.Duplicates != 1 || counts.Loaded != int64(len(held)) || counts.Bad != 6-counts.Loaded {
					t.Errorf("%+v, %v", counts, err)
				}
				if fmt.Sprint(held) != want {
					t.Errorf("the table holds %s, want %s", held, want)
				}
				for line, reason := range e.rejects(t, 1) {
					if !strings.Contains(reason, "key") || strings.ContainsAny(reason, "(`") {
						t.Errorf("line %d: %s", line, reason)
					}
				}
			})
		})
	}
}
