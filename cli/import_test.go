package cli

import (
	"archive/zip"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// exported runs a transfer with failures, files that were extracted and odd names, and exports it.
func (s *testEnv) exported(name string) (lines []string) {
	s.t.Helper()
	s.file("in/a.txt", "alpha")
	s.file("in/\xff.txt", "odd")
	f, err := os.Create(s.path("in/b.zip"))
	testkit.Must(s.t, err)
	z := zip.NewWriter(f)
	for i := range 30 {
		w, err := z.Create(fmt.Sprintf("m%d\xfe.txt", i))
		testkit.Must(s.t, err)
		_, err = w.Write([]byte("member"))
		testkit.Must(s.t, err)
	}
	testkit.Must(s.t, z.Close())
	testkit.Must(s.t, f.Close())
	recipe := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: checksum\n  - handler: extract\n    with: {to: "+s.path("out")+"}\n"+
		"finally:\n  - handler: report\n    with: {to: "+s.path("reports")+"}\n")
	s.must(exitFailures, "run", "-q", "--missing-ok", "--recipe", recipe, s.path("in"), s.path("gone"))
	s.must(exitOK, "export", "latest", "-o", s.path(name))
	text, err := os.ReadFile(s.path(name))
	testkit.Must(s.t, err)
	lines = strings.SplitAfter(string(text), "\n")
	return lines[:len(lines)-1] // the last is empty
}

// wallTime is where the time of a transfer went, in a summary.
var wallTime = regexp.MustCompile(`"wall_time":\{.*\]\},`)

// What is imported into a database of another kind is exported with the same digest, and
// shown as it was.
func TestImportIntoAnotherDatabase(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	lines := s.exported("x.jsonl")
	other := []string{"--database", testkit.MySQL(t)}
	with := func(args ...string) []string { return append(args, other...) }
	s.must(exitOK, with("migrate")...)
	equal(t, "imported", s.stable(s.must(exitOK, with("import", s.path("x.jsonl"))...).stdout),
		"Imported transfer ID: 34 files and 67 results.\n")
	again := strings.SplitAfter(strings.TrimSuffix(s.must(exitOK, with("export", "latest")...).stdout, "\n"), "\n")
	equal(t, "the same lines", strings.Join(again[:len(again)-1], ""), strings.Join(lines[:len(lines)-1], ""))
	for _, args := range [][]string{
		{"results", "latest", "--json"}, {"failures", "latest", "--json"}, {"results", "latest", "--parent", "2", "--json"},
		{"status", "latest", "--json"},
	} {
		there := wallTime.ReplaceAllString(s.do(args...).stdout, "") // the moments of the workers are not exported
		equal(t, strings.Join(args, " "), s.stable(s.do(with(args...)...).stdout), s.stable(there))
	}
	s.from = strings.NewReader(strings.Join(lines, ""))
	equal(t, "again", s.stable(s.must(exitOK, with("import", "-")...).stdout),
		"Transfer ID is in the database already, with the same 34 files and 67 results.\n")
	contains(t, "audited", s.must(exitOK, with("audit", "--json")...).stdout,
		`"action":"import transfers","target":"`+s.path("x.jsonl")+`","result":"done"`)
	equal(t, "one transfer", s.stable(s.must(exitOK, "import", s.path("x.jsonl")).stdout),
		"Transfer ID is in the database already, with the same 34 files and 67 results.\n") // where it comes from

	// Another content under the same id is no repetition.
	s.env = append(s.env, "BALER_DATABASE_URL="+other[1])
	s.exec("UPDATE results SET output = 'x' WHERE file_no = 1 AND step_no = 1")
	contains(t, "changed", s.must(exitError, "import", s.path("x.jsonl")).stderr,
		"the database has the transfer with other content: transfer ",
		": files 34, results 67, digest ")
}

// An import that was cut off goes on, and nobody sees a part of it.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.exported("x.jsonl")
	for _, url := range []string{testkit.MySQL(t), "sqlite:" + s.path("other.db")} {
		s.env = append(s.env, "BALER_DATABASE_URL="+url)
		s.must(exitOK, "import", s.path("x.jsonl"))
		// As if it had ended in between: some rows are there, the transfer is not.
		s.exec("INSERT INTO imports (transfer_id, uuid, started_at) SELECT id, uuid, created_at FROM transfers", "DELETE FROM transfers",
			"DELETE FROM finalize_steps", "DELETE FROM results WHERE step_no = 2 AND file_no > 5",
			"DELETE FROM failures WHERE step_no = 2 AND file_no > 5",
			"DELETE FROM results WHERE file_no = 3", "DELETE FROM failures WHERE file_no = 3", "DELETE FROM files WHERE no > 20 OR no = 4",
			"DELETE FROM emitted_files WHERE file_no > 20 OR file_no = 4")
		contains(t, "not seen", s.must(exitError, "status", "latest").stderr, "there are no transfers yet")
		equal(t, "goes on", s.stable(s.must(exitOK, "import", s.path("x.jsonl")).stdout), "Imported transfer ID: 34 files and 67 results.\n")
		contains(t, "there", s.must(exitOK, "import", s.path("x.jsonl")).stdout, "already")
		contains(t, "failures", s.must(exitOK, "failures", "latest").stdout, "not-found")
		// A row that was written wrongly is found before anybody sees the transfer.
		s.exec("INSERT INTO imports (transfer_id, uuid, started_at) SELECT id, uuid, created_at FROM transfers", "DELETE FROM transfers",
			"DELETE FROM finalize_steps", "UPDATE results SET facts = '{}' WHERE step_no = 1 AND file_no = 1")
		contains(t, "wrong", s.must(exitError, "import", s.path("x.jsonl")).stderr, "with other content")
		contains(t, "not seen", s.must(exitError, "status", "latest").stderr, "there are no transfers yet")
	}
}

func TestImportNamesBrokenLines(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	lines := s.exported("x.jsonl")
	with := func(at int, line string) string {
		changed := append([]string{}, lines...)
		changed[at] = line
		return strings.Join(changed, "")
	}
	n := len(lines)
	for name, c := range map[string]struct{ content, want string }{
		"no JSON":         {with(40, "x\n"), "line 41: it is not JSON: "},
		"cut off":         {strings.Join(lines[:n-1], ""), fmt.Sprintf("line %d: the last line of transfer ", n-1)},
		"within a line":   {strings.Join(lines[:50], "")[:16000], "it is not JSON"},
		"a line less":     {with(3, ""), "line 4: it has file 4, and file 3 comes next"},
		"a result less":   {with(40, ""), "results of transfer "},
		"a result twice":  {with(40, lines[40]+lines[40]), "line 42: the result of file "},
		"another outcome": {with(40, strings.Replace(lines[40], "succeeded", "fine", 1)), "line 41: unknown outcome"},
		"another text":    {with(1, strings.Replace(lines[1], `"size":`, `"size":1`, 1)), "their digest is another"},
		"unknown step":    {with(40, strings.Replace(lines[40], `"step":"checksum"`, `"step":"none"`, 1)), `has no step "none"`},
		"no transfer":     {strings.Join(lines[1:], ""), `line 1: it has the type "file", and a transfer begins`},
		"running": {with(0, strings.Replace(lines[0], `"state":"completed"`, `"state":"running"`, 1)),
			"was exported while it was running"},
		"a later version": {with(0, strings.Replace(lines[0], `"version":1`, `"version":2`, 1)),
			"it has version 2, and this program reads version 1"},
		"empty":   {"", "line 1: there is no line"},
		"results": {`{"file":1,"path":"a"}` + "\n", `it has the type ""`},
	} {
		file := s.file("broken.jsonl", c.content)
		r := s.must(exitError, "import", file, "--database", "sqlite:"+s.path("none.db"))
		contains(t, name, r.stderr, "error: "+file+": ", c.want, file+": nothing was imported")
		contains(t, name, s.must(exitOK, "status", "--database", "sqlite:"+s.path("none.db")).stdout, "There are no transfers yet")
	}
	many := s.file("broken.jsonl", lines[0]+strings.Repeat("x\n", 50)+lines[n-1])
	contains(t, "many", s.must(exitError, "import", many, "--database", "sqlite:"+s.path("none.db")).stderr,
		"line 21: ", "… and 31 more lines")
	contains(t, "no file", s.must(exitError, "import", s.path("none")).stderr, "no such file")
	two := s.file("two.jsonl", strings.Join(lines, "")+strings.Join(lines, ""))
	equal(t, "two", s.stable(s.must(exitOK, "import", two, "--database", "sqlite:"+s.path("two.db")).stdout),
		"Imported transfer ID: 34 files and 67 results.\nTransfer ID is in the database already, with the same 34 files and 67 results.\n")
}
