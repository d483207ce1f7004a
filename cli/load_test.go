package cli

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// loadSum is the last line of load --json.
func loadSum(t *testing.T, r ran) loadSummary {
	t.Helper()
	var s loadSummary
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || s.Type != "load" {
		t.Fatalf("no summary: %v\nstdout:\n%s\nstderr:\n%s", err, r.stdout, r.stderr)
	}
	return s
}

// lines writes so many documents, with something bad on the line given, 0 for none.
func jsonLines(n, bad int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		if i == bad {
			b.WriteString("{\"id\":\"bad\"}\n")
			continue
		}
		fmt.Fprintf(&b, "{\"id\":%d,\"user\":{\"name\":\"n%d\"},\"at\":\"2024-01-02T03:04:05Z\"}\n", i, i)
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", jsonLines(1500, 1300)+"\n")
	r := s.must(exitFailures, "load", path, "--into", "things", "--create", "--key", "id", "--chunk", "4KiB", "--line-column", "doc")
	id := strings.Fields(r.stdout)[1]
	uuid := s.must(exitOK, "status", "--json", id).summary(t).Transfer
	contains(t, "report", r.stdout, "1,501 lines")
	contains(t, "report", r.stdout, "LOADED  SKIPPED  DUPLICATES  REJECTED  UNCHANGED\n 1,499        1           0         1          0\n")
	contains(t, "report", r.stdout, "baler results "+id+" --rejected")

	r = s.must(exitOK, "results", id, "--rejected")
	equal(t, "rejects", s.stable(r.stdout), `DIR/in.jsonl:1300  column id: "bad" is a string, not a whole number  {"id":"bad"}`+"\n")
	r = s.must(exitOK, "results", id, "--rejected", "--json")
	var line rejectedLine
	if err := json.Unmarshal([]byte(r.stdout), &line); err != nil || line.Line != 1300 || line.Path != path || line.Content != `{"id":"bad"}` ||
		line.Size != 12 || line.Bytes != nil {
		t.Errorf("%v in %s", err, r.stdout)
	}
	r = s.must(exitOK, "results", id, "--json", "--outcome", "warning")
	contains(t, "the part's result", r.stdout, `"code":"lines-rejected"`)
	contains(t, "its facts", r.stdout, `"bad":1`)

	// The same again: nothing to do. A changed file is loaded again; the key column prevents duplicates.
	r = s.must(exitFailures, "load", path, "--into", "things", "--create", "--key", "id", "--chunk", "4KiB", "--line-column", "doc", "--json")
	if sum := loadSum(t, r); sum.Transfer != uuid || sum.Lines != 1501 || !strings.Contains(r.stderr, "No changes since") {
		t.Errorf("%+v, %s", sum, r.stderr)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(s.file("in.jsonl", jsonLines(1600, 0)), later, later); err != nil {
		t.Fatal(err)
	}
	r = s.must(exitOK, "load", path, "--into", "things", "--create", "--key", "id", "--chunk", "4KiB", "--line-column", "doc", "--json")
	if sum := loadSum(t, r); sum.Loaded != 101 || sum.Duplicates+sum.Unchanged != 1499 || sum.Unchanged < 1000 || sum.Lines != 1600 || sum.LinesPerSecond <= 0 {
		t.Errorf("%+v", sum)
	}
}

func TestLoadCompressed(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(jsonLines(2000, 0))); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	whole := s.file("whole.gz", b.String())
	r := s.must(exitOK, "load", whole, "--into", "things", "--create", "--map", "id", "--map", "who=user.name", "--line-contains", "n1", "--json")
	if sum := loadSum(t, r); sum.Loaded != 1111 || sum.Skipped != 889 {
		t.Errorf("%+v", sum)
	}
	cut := s.file("cut.gz", b.String()[:b.Len()/2])
	r = s.must(exitFailures, "load", cut, "--into", "things", "--map", "id", "--json")
	sum := loadSum(t, r)
	if sum.Failed != 1 || sum.Loaded == 0 || sum.Loaded >= 2000 || sum.Bad != 0 {
		t.Errorf("%+v", sum)
	}
	r = s.must(exitOK, "results", sum.Transfer)
	contains(t, "why it failed", r.stdout, "the compressed content is damaged")
}

func TestLoadThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", jsonLines(3, 0))
	empty := s.file("empty.jsonl", "")
	s.must(exitOK, "load", path, "--into", "things", "--create", "-q")
	for _, tt := range []struct {
		code int
		args string
		want string
	}{
		{exitUsage, path, "--into is required"},
		{exitUsage, "- --into things", "standard input"},
		{exitUsage, path + " --into things --chunk many", "not a size"},
		{exitUsage, "--into things", "requires at least 1 arg"},
		{exitError, path + " --into nothing", `no such table: "nothing" in sqlite:`},
		{exitError, path + " --into results", "results is a table of Baler"},
		{exitError, path + " --into things --map nope=id", `no column "nope"`},
		{exitError, path + " --into things --map id:number", `unknown type "number"`},
		{exitError, path + " --into things --map id=a..b", "is empty"},
		{exitError, path + " --into things --key id", "no primary or unique key of exactly id"},
		{exitError, path + " --into things --on-duplicate update", "needs a key"},
		{exitError, path + " --into things --on-duplicate never --key id", "must be ignore, update or error"},
		{exitError, path + " --into things --chunk 1B", "from 4KiB to 1GiB"},
		{exitError, path + " " + path + "x --into things", "in.jsonlx: no such file or directory"},
		{exitError, s.file("empty", "") + " --into new --create", "no file has content"},
		{exitError, s.file("array", "[\n{\"id\":1}\n]") + " --into things", "a JSON array over several lines"},
		{exitError, s.file("cases", `{"a":1,"A":2}`) + " --into new --create", `"a" and "A" differ in letter case`},
		{exitError, s.file("accents", `{"é":1,"É":2}`) + " --into new --create", `"é" and "É" differ in letter case`},
		{exitError, s.file("blanks", `{" Name ":1}`) + " --into new --create", `the name of a member cannot be that of a column`},
		{exitError, s.file("deep", strings.Repeat(`{"a":`, 600)+"1"+strings.Repeat("}", 600)) + " --into new --create", "nest more than 500 deep"},
		{exitError, s.file("long", `{"a":"`+strings.Repeat("x", 9<<20)+`"}`) + " --into new --create", "the first one: the line is 9437192 bytes long"},
		{exitError, path + " --into new --create --chunk 1B", "from 4KiB to 1GiB"},
		{exitError, path + " --into things --map id=ID --map user=nam", "no line has a value for any column of things"},
		{exitError, path + " --into never --create --map id=ID:int", "no line has a value for any column of never"},
		{exitError, path + "x --into new --create", "in.jsonlx: no such file or directory"},
		{exitError, empty + " --into new --create", "no file has content"},
	} {
		r := s.must(tt.code, append([]string{"load"}, strings.Fields(tt.args)...)...)
		contains(t, tt.args, r.stderr, tt.want)
	}
	// The first line may be as long as any other.
	s.must(exitOK, "load", s.file("wide", `{"a":"`+strings.Repeat("x", 2<<20)+`"}`), "--into", "wide", "--create", "-q")
	if r := s.must(exitOK, "status", "--json"); strings.Count(r.stdout, `"state"`) != 2 {
		t.Errorf("transfers are left of loads that did not begin: %s", r.stdout)
	}
	for _, table := range []string{"new", "never"} { // nothing is left of a load that did not begin
		r := s.must(exitError, "load", path, "--into", table)
		contains(t, table, r.stderr, "no such table: \""+table+"\" in ")
	}
}

// Text in a mapping that looks like a template or YAML is plain text.
func TestLoadOfOddWords(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", `{"${size}":1,"a: b":"<&>","c.d":{"e:f":"x"}}`+"\n")
	r := s.must(exitOK, "load", path, "--into", "odd", "--create", "--map", `n=${size}`, "--map", `s=a\: b`, "--map", `deep=c\.d.e\:f:text`,
		"--line-contains", "<&>", "--json")
	if sum := loadSum(t, r); sum.Loaded != 1 {
		t.Errorf("%+v", sum)
	}
}

// A file that grew, without a key, loads its new lines, and one that was touched none.
func TestLoadAgain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", jsonLines(500, 0))
	args := []string{"load", path, "--into", "things", "--create", "--chunk", "4KiB", "--json"}
	s.must(exitOK, args...)
	s.file("in.jsonl", jsonLines(501, 0))
	if sum := loadSum(t, s.must(exitOK, args...)); sum.Loaded != 1 {
		t.Errorf("grown: %+v", sum)
	}
	later := time.Now().Add(time.Minute)
	testkit.Must(t, os.Chtimes(path, later, later))
	if sum := loadSum(t, s.must(exitOK, args...)); sum.Loaded != 0 || sum.Unchanged != 501 || sum.Lines != 501 {
		t.Errorf("touched: %+v", sum)
	}
}

// A table that has lost its rows is loaded again, whether the load before had ended,
// and whatever was loaded into it in between.
func TestLoadIntoATableThatLostItsRows(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path, other := s.file("in.jsonl", jsonLines(5, 0)), s.file("other.jsonl", jsonLines(3, 0))
	load := func(path string) loadSummary {
		t.Helper()
		return loadSum(t, s.must(exitOK, "load", path, "--into", "things", "--create", "--map", "id:int", "--json"))
	}
	d := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	empty := func(statement string) {
		t.Helper()
		if _, err := d.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (n int) {
		t.Helper()
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM things").Scan(&n))
		return n
	}
	first := load(path)
	empty("DROP TABLE things")
	if again := load(path); again.Transfer == first.Transfer || again.Loaded != 5 || rows() != 5 {
		t.Errorf("dropped: %+v, %d rows", again, rows())
	}
	empty("DELETE FROM things")
	if again := load(path); again.Loaded != 5 || rows() != 5 {
		t.Errorf("emptied: %+v, %d rows", again, rows())
	}
	empty("DROP TABLE things")
	load(other)
	if again := load(path); again.Loaded != 5 || rows() != 8 {
		t.Errorf("dropped, and another file loaded: %+v, %d rows", again, rows())
	}
	if again := load(path); rows() != 8 {
		t.Errorf("nothing happened since: %+v, %d rows", again, rows())
	}
	empty("DELETE FROM things; UPDATE transfers SET state = 'interrupted', ended_at = NULL")
	if again := load(path); again.Loaded != 5 || rows() != 5 {
		t.Errorf("emptied while a load was interrupted: %+v, %d rows", again, rows())
	}
}

// newLoadEnv is an environment whose tables are in the database with the URL.
func newLoadEnv(t *testing.T, url string) (*testEnv, *sql.DB) {
	t.Helper()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_DATABASE_URL="+url, "BALER_ROOTS="+s.dir)
	return s, testkit.Database(t, url)
}

// statements returns a function that runs a statement on a database.
func statements(t *testing.T, d *sql.DB) func(string) {
	t.Helper()
	return func(statement string) {
		t.Helper()
		_, err := d.ExecContext(t.Context(), statement)
		testkit.Must(t, err)
	}
}

// A table that was replaced by hand is loaded again if a key tells its rows from those that
// are loaded; without a key, load says what it has found. A table that has lost some of its
// rows is left alone.
func TestLoadIntoATableThatWasReplaced(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		s, d := newLoadEnv(t, url)
		exec := statements(t, d)
		path := s.file("in.jsonl", "{\"id\":1,\"s\":\"d'é, \\\\\"}\n{\"id\":2,\"s\":\"\"}\n{\"id\":3,\"s\":null}\n{\"id\":4,\"s\":\"x\\ny\"}\n")
		const others = " VALUES (5, 'x'), (6, 'y'), (7, 'x'), (8, 'y'), (9, 'x')"
		for name, tt := range map[string]struct {
			key, says string
			rows      int
		}{
			"number": {"id", "none of the rows that were loaded into it before, only others: loading its files again", 9},
			"none":   {"", "it was replaced, or they were changed; to load its files again, empty the table", 5},
		} {
			load := func() ran {
				t.Helper()
				args := []string{"load", path, "--into", name, "--create", "--map", "id:int", "--map", "s:text", "--json"}
				if tt.key != "" {
					args = append(args, "--key", tt.key)
				}
				return s.must(exitOK, args...)
			}
			load()
			if r := load(); strings.Contains(r.stderr, "none of the rows") {
				t.Errorf("key %q: nothing happened, and it says %s", tt.key, r.stderr)
			}
			exec("DELETE FROM " + name + " WHERE id <> 1")
			if r := load(); strings.Contains(r.stderr, "none of the rows") {
				t.Errorf("key %q: three rows of four were deleted, and it says %s", tt.key, r.stderr)
			}
			exec("DROP TABLE " + name)
			exec("CREATE TABLE " + name + " (id BIGINT PRIMARY KEY, s VARCHAR(20))")
			exec("INSERT INTO " + name + others)
			r := load()
			if n := strings.Count(r.stderr, tt.says); n != 1 {
				t.Errorf("key %q: said %d times: %s", tt.key, n, r.stderr)
			}
			var rows int
			testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+name).Scan(&rows))
			if rows != tt.rows {
				t.Errorf("key %q: %d rows, want %d", tt.key, rows, tt.rows)
			}
		}
	})
}

// With --create, a table that Baler has created gets columns for the members that later
// files bring. One that somebody else has created stays as it is.
func TestLoadAddsColumns(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		s, d := newLoadEnv(t, url)
		exec := statements(t, d)
		first := s.file("a.jsonl", `{"id":1}`)
		second := s.file("b.jsonl", "{\"id\":2,\"name\":\"n\",\"at\":\"2024-01-02T03:04:05Z\"}\n{\"id\":3,\"deep\":{\"x\":1}}\n")
		s.must(exitOK, "load", first, "--into", "things", "--create", "--key", "id")
		r := s.must(exitOK, "load", second, "--into", "things", "--create", "--key", "id", "--json")
		if sum := loadSum(t, r); sum.Loaded != 2 || sum.Unmapped != 0 || fmt.Sprint(sum.AddedColumns) != "[name at deep]" {
			t.Errorf("%+v", sum)
		}
		contains(t, "note", r.stderr, `Columns were added to table things; they are NULL in existing rows: \"name\", \"at\", \"deep\"`)
		var id int
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT SUM(id) FROM things WHERE name = 'n' OR deep LIKE '%x%'").Scan(&id))
		if id != 5 {
			t.Errorf("the new columns have values in rows that add up to %d, want 2 + 3", id)
		}
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT id FROM things WHERE name IS NULL AND at IS NULL AND deep IS NULL").Scan(&id))

		s.must(exitOK, "load", second, "--into", "things", "--create", "--map", "id", "--map", "who=name:text", "--line-column", "doc",
			"--key", "id", "--on-duplicate", "update")
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM things WHERE who = 'n' AND doc LIKE '%name%'").Scan(&id))
		if id != 1 {
			t.Errorf("%d rows have the mapped columns, want 1", id)
		}
		r = s.must(exitError, "load", s.file("c.jsonl", `{"id":9,"NAME":"x"}`), "--into", "things", "--create")
		contains(t, "a name that differs in case", r.stderr, `"name" and "NAME" differ in letter case at most`)

		exec("CREATE TABLE theirs (id INTEGER)")
		if sum := loadSum(t, s.must(exitOK, "load", second, "--into", "theirs", "--create", "--json")); sum.Loaded != 2 || sum.Unmapped != 3 {
			t.Errorf("somebody else's table: %+v", sum)
		}
		r = s.must(exitError, "load", second, "--into", "theirs", "--create", "--map", "id", "--map", "name")
		contains(t, "somebody else's table", r.stderr, `theirs has no column "name"`)

		recipe := s.file("r.yaml", "name: r\nsteps: [{handler: load, with: {into: things, map: ['id:int', 'extra:text'], create: true}}]")
		s.must(exitOK, "run", s.file("d.jsonl", `{"id":10,"extra":"e"}`), "--recipe", recipe)
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT id FROM things WHERE extra = 'e'").Scan(&id))
		if id != 10 {
			t.Errorf("a recipe's new column has its value at %d", id)
		}
	})
}

// A run loads again, too, into a table that lost its rows, also when the name of the table
// depends on the file.
func TestRunIntoATableThatLostItsRows(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", jsonLines(5, 0))
	recipe := s.file("r.yaml", `name: r
steps:
  - handler: checksum
  - {handler: load, with: {into: "t${ext}", map: ["id:int"], create: true}}
`)
	d := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	for i, statement := range []string{"SELECT 1", "DROP TABLE `t.jsonl`", "DELETE FROM `t.jsonl`", "SELECT 1"} {
		if i > 0 {
			_, err := d.ExecContext(t.Context(), statement)
			testkit.Must(t, err)
		}
		r := s.must(exitOK, "run", path, "--recipe", recipe)
		var rows int
		testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM `t.jsonl`").Scan(&rows))
		if rows != 5 || i == 3 != strings.Contains(r.stdout, "No changes") || i%3 != 0 != strings.Contains(r.stderr, "the table was dropped or emptied") {
			t.Errorf("after %s: %d rows; %s", statement, rows, r.stderr)
		}
	}
}

// Chunks that failed are loaded by the next run, those that did not are left alone, and
// no line is loaded twice without a key.
func TestRunLoadsFailedChunksAgain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("in.jsonl", jsonLines(500, 0))
	recipe := s.file("r.yaml", "name: r\nsplit: {lines: 4KiB}\nsteps: [{handler: load, with: {into: things, map: ['id:int']}}]")
	first := s.must(exitFailures, "run", path, "--recipe", recipe, "--json").summary(t)
	s.must(exitFailures, "run", path, "--recipe", recipe)
	d := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	_, err := d.ExecContext(t.Context(), "CREATE TABLE things (id INTEGER)")
	testkit.Must(t, err)
	again := s.must(exitOK, "run", path, "--recipe", recipe, "--json").summary(t)
	var rows, different int64
	testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT id) FROM things").Scan(&rows, &different))
	if rows != 500 || different != 500 || again.Transfer == first.Transfer {
		t.Errorf("%d rows, %d different; transfers %s and %s", rows, different, first.Transfer, again.Transfer)
	}
	contains(t, "then", s.must(exitOK, "run", path, "--recipe", recipe).stdout, "No changes since")
}

// Columns are made of the members of all lines of all files. Members that come
// later, when the table is there, are told and counted.
func TestLoadMembersThatComeLate(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	first := s.file("a.jsonl", strings.Repeat("{\"id\":1}\n", 1001)+`{"id":2,"late":"kept"}`)
	second := s.file("b.jsonl", `{"x":1.5}`)
	sum := loadSum(t, s.must(exitOK, "load", first, second, "--into", "things", "--create", "--json"))
	if sum.Loaded != 1003 || sum.Unmapped != 0 {
		t.Errorf("%+v", sum)
	}
	d := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	var late string
	var x float64
	testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT MAX(late), MAX(x) FROM things").Scan(&late, &x))
	if late != "kept" || x != 1.5 {
		t.Errorf("late %q, x %v", late, x)
	}
	third := s.file("c.jsonl", "{\"id\":3,\"more\":1,\"\\u001b\":{\"y\":1}}\n{\"more\":1}\n{\"more\":2,\"id\":4}\n")
	r := s.must(exitFailures, "load", third, "--into", "things", "--json")
	sum = loadSum(t, r)
	if names := fmt.Sprintf("%q", sum.UnmappedMembers); sum.Loaded != 2 || sum.Bad != 1 || sum.Unmapped != 3 || names != `["\x1b" "more"]` {
		t.Errorf("%+v, %s", sum, names)
	}
	r = s.must(exitFailures, "load", third, "--into", "things")
	contains(t, "report", r.stdout, `Left out: 3 values of members without a column: "\x1b", "more"`)
	r = s.must(exitOK, "load", third, "--into", "things", "--map", "id", "--line-contains", "id", "--json")
	if sum := loadSum(t, r); sum.Unmapped != 0 {
		t.Errorf("members that the mapping leaves out were counted: %+v", sum)
	}
}

// The rows of a deleted load are in the table still: they are not loaded twice, and lines
// that it rejected are tried again.
func TestLoadAfterDelete(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		s, d := newLoadEnv(t, url)
		_, err := d.ExecContext(t.Context(), "CREATE TABLE things (a BIGINT)")
		testkit.Must(t, err)
		path := s.file("d.jsonl", "{\"a\":1}\n{\"a\":\"none\"}\n{\"a\":2}\n")
		for _, want := range []string{"2 0 1", "0 2 1", "0 2 1"} { // what is deleted last has loaded nothing itself
			sum := loadSum(t, s.must(exitFailures, "load", path, "--into", "things", "--json"))
			if got := fmt.Sprint(sum.Loaded, sum.Unchanged, sum.Bad); got != want {
				t.Errorf("loaded, unchanged, rejected: %s, want %s", got, want)
			}
			s.must(exitOK, "delete", "latest")
			var rows, marks, contents int
			testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM things").Scan(&rows))
			testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM loads").Scan(&marks))
			testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM rejected_lines WHERE content <> ''").Scan(&contents))
			if rows != 2 || marks < 1 || contents != 0 {
				t.Errorf("%d rows, %d marks and %d contents of rejected lines after the deletion", rows, marks, contents)
			}
		}
	})
}

// A column that a person adds for members that were left out gets their values from the
// next load that updates rows; any other load says how to fill it.
func TestColumnsForMembersThatWereLeftOut(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	path := s.file("a.jsonl", "{\"id\":1,\"late\":\"x\"}\n{\"id\":2,\"late\":\"y\",\"never\":1}\n")
	s.must(exitOK, "migrate")
	d := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	exec := func(statement string) {
		_, err := d.ExecContext(t.Context(), statement)
		testkit.Must(t, err)
	}
	exec("CREATE TABLE plain (id INTEGER)")
	exec("CREATE TABLE keyed (id INTEGER PRIMARY KEY)")
	update := []string{"load", path, "--into", "keyed", "--key", "id", "--on-duplicate", "update"}
	contains(t, "plain", s.must(exitOK, "load", path, "--into", "plain").stdout, "Add columns for them")
	s.must(exitOK, update...)
	contains(t, "no column yet", s.must(exitOK, update...).stderr, "No changes")
	exec("ALTER TABLE plain ADD COLUMN late TEXT")
	exec("ALTER TABLE keyed ADD COLUMN late TEXT")
	contains(t, "plain", s.must(exitOK, "load", path, "--into", "plain").stderr,
		"the table has columns now for members that were left out", "load with a key and on-duplicate update", "table=plain members=[late]")
	exec("ALTER TABLE plain ADD COLUMN never INTEGER")
	if out := s.must(exitOK, "load", path, "--into", "plain").stdout; strings.Contains(out, "Add columns for them") {
		t.Errorf("asks for columns that are there: %s", out)
	}
	contains(t, "keyed", s.must(exitOK, update...).stderr, "members that were left out: loading their files again")
	var rows int64
	testkit.Must(t, d.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM keyed WHERE late IN ('x', 'y')").Scan(&rows))
	if rows != 2 {
		t.Errorf("%d rows have the value", rows)
	}
	contains(t, "then", s.must(exitOK, update...).stderr, "No changes")
}
