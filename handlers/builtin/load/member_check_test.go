package load

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestNoMemberFits(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		if _, err := e.db.ExecContext(t.Context(), "CREATE TABLE t (id INTEGER, name TEXT)"); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write := func(name string, lines ...string) string {
			return testkit.WriteFileIn(t, dir, name, strings.Join(lines, "\n"))
		}
		upper := write("upper", `{"ID":1,"Name":"x"}`, `{"ID":2,"Other":3}`)
		late := write("late", "", "no JSON", `{"ID":1}`, `{"user":{"name":"x"}}`, `{"id":2}`)
		bad := write("bad", "no JSON", "[1]")
		for name, tt := range map[string]struct {
			args  Args
			paths []string
			want  string
		}{
			"another case":      {Args{}, []string{upper, bad}, `no line has a value for any column of t: the columns get the members "id", "name"; the lines have "ID", "Name", "Other"`},
			"a mistyped path":   {Args{Map: []string{"id=user.nam"}}, []string{late}, `the columns get the members "user.nam"; the lines have "ID", "user", "id"`},
			"the mapping fits":  {Args{Map: []string{"id=ID"}}, []string{upper}, ""},
			"a late line fits":  {Args{}, []string{upper, late}, ""},
			"whole lines":       {Args{LineColumn: "name", Map: []string{"id=nope"}}, []string{upper}, ""},
			"no objects":        {Args{}, []string{bad}, ""},
			"lines passed over": {Args{LineContains: "Other"}, []string{upper}, `the lines have "ID", "Other"`},
			"no files":          {Args{}, []string{filepath.Join(dir, "none")}, ""},
			"to be created":     {Args{Into: "new", Create: true, Map: []string{"a=nope:int"}}, []string{upper}, `the columns get the members "nope"`},
		} {
			if tt.args.Into == "" {
				tt.args.Into = "t"
			}
			p, err := tt.args.Resolve()
			testkit.Must(t, err)
			err = p.CheckMembers(t.Context(), e.Store, &LineFiles{Paths: tt.paths})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A row that would hold nothing of its line is none.
func TestLinesOfWhichNoMemberFitsAreRejected(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"id:int", "who=user.name:text"}})
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1},
			strings.NewReader("{\"id\":null}\n{\"ID\":1}\n{}\n{\"user\":{\"nam\":1}}\n{\"user\":{\"name\":1}}"))
		if err != nil || counts.Loaded != 2 || counts.Bad != 3 {
			t.Errorf("%+v, %v", counts, err)
		}
		if bad := e.rejects(t, 1); bad[2] != "the line has no value for any column" || len(bad) != 3 {
			t.Errorf("rejected: %v", bad)
		}
	})
}
