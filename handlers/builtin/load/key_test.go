package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/tableload"
)

// A line without a value of the key is set aside. A database that counts rows by
// the key would give it the number of a later line, and drop that as a duplicate.
func TestLinesWithoutTheKeyAreSetAside(t *testing.T) {
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
				counts, err := l.Load(t.Context(), Chunk{Transfer: 1, Step: 1, File: 1}, strings.NewReader(lines))
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
func TestLinesWithoutACountingKeyAreSetAside(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		number := "INTEGER PRIMARY KEY AUTOINCREMENT"
		if e.dialect == "mysql" {
			number = "BIGINT AUTO_INCREMENT PRIMARY KEY"
		}
		if _, err := e.db.ExecContext(t.Context(), "CREATE TABLE t (id "+number+", s VARCHAR(20))"); err != nil {
			t.Fatal(err)
		}
		l := e.loader(t, Args{Into: "t", Key: []string{"id"}})
		counts, err := l.Load(t.Context(), Chunk{Transfer: 1, Step: 1, File: 1}, strings.NewReader(`{"s":"no id"}`+"\n"+`{"id":1,"s":"real"}`))
		if err != nil || counts.Loaded != 1 || counts.Bad != 1 {
			t.Errorf("%+v, %v", counts, err)
		}
		if held := fmt.Sprint(e.rows(t, "SELECT id, s FROM t")); held != "[1|real]" {
			t.Errorf("the table holds %s", held)
		}
	})
}
