package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestResultsShowFactsInColumns(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "-q", "--missing-ok", "--recipe", s.twoSteps(), s.path("in"), s.path("gone"))
	both := s.stable(s.must(exitOK, "results", "latest").stdout)
	contains(t, "tables", both, "Step checksum\nOUTCOME    PATH ", "MESSAGE\n", "not-found: no such file or directory\n\nStep identify\nOUTCOME    PATH ",
		"PUID       FORMAT           MIME\n", "x-fmt/111  Plain Text File  text/plain\n")
	r := s.must(exitOK, "results", "latest", "--step", "identify", "--columns", "path,mime,facts.puid,exit_code")
	equal(t, "chosen columns", s.stable(r.stdout), "PATH"+strings.Repeat(" ", len(s.path("in/a.txt"))-4)+"  MIME        PUID       EXIT_CODE\n"+
		"DIR/in/a.txt  text/plain  x-fmt/111  0\n")
	r = s.must(exitOK, "results", "latest", "--columns", "file,mmie", "--outcome", "failed")
	equal(t, "a column of nothing", r.stdout+r.stderr, "FILE  MMIE\n2\nnote: no result has a fact or field \"mmie\"\n")
	r = s.must(exitOK, "results", "latest", "--columns", "path,puid,size", "--json", "--file", "1")
	equal(t, "JSON lines", s.stable(r.stdout), `{"path":"DIR/in/a.txt","puid":null,"size":5}
{"path":"DIR/in/a.txt","puid":"x-fmt/111","size":null}
`)
}

func TestResultsAsCSV(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a,\"b\"\n.txt", "alpha")
	s.must(exitOK, "run", "-q", "--recipe", s.twoSteps(), s.path("in"))
	rows, err := csv.NewReader(strings.NewReader(s.must(exitOK, "results", "latest", "--format", "csv").stdout)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v: %q", len(rows), err, rows)
	}
	equal(t, "titles", strings.Join(rows[0], " "),
		"file path step outcome exit_code code error output attempt worker started_at ended_at format mime puid sha256 size")
	equal(t, "path", rows[1][1], s.path("in/a,\"b\"\n.txt"))
	equal(t, "facts of the second step", strings.Join(rows[2][12:], "|"), "Plain Text File|text/plain|x-fmt/111||")
	for _, c := range []struct{ args, want string }{
		{"results latest --format xml", `--format "xml" must be table, csv or jsonl`},
		{"results latest --format csv --json", "--json prints JSON lines"},
		{"results latest --columns path,,mime", "--columns has an empty name"},
	} {
		contains(t, c.args, s.must(exitUsage, strings.Fields(c.args)...).stderr, c.want)
	}
}

// A fact that comes late has no column, and is not lost.
func TestResultTablesKeepWhatComesLate(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &resultTables{w: &out, order: func(string) []string { return []string{"b", "a"} }}
	line := func(i int, facts, code string) *tasks.ResultLine {
		return &tasks.ResultLine{Path: fmt.Sprintf("/%04d", i), Step: "s", Outcome: "succeeded", Code: code, Facts: json.RawMessage(facts)}
	}
	for i := range sampled {
		if err := r.write(line(i, `{"a":1,"b":"x","c":[2]}`, "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.write(line(sampled, `{"a":1,"d":"late\\n"}`, "odd")); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	equal(t, "titles", lines[0], "OUTCOME    PATH   B  A  C")
	equal(t, "first", lines[1], "succeeded  /0000  x  1  [2]")
	equal(t, "last", lines[sampled+1], `succeeded  /1000     1       d=late\n  odd`)
}

// Characters on which a terminal acts are escaped in JSON, which keeps their meaning.
func TestJSONHidesNothingOnATerminal(t *testing.T) {
	t.Parallel()
	const name = "a\u202etxt.\u009b31m\x7f\U000e0001é日"
	text, err := jsonText(map[string]string{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "text", text, `{"name":"a\u202etxt.\u009b31m\u007f\udb40\udc01é日"}`)
	var back map[string]string
	if err := json.Unmarshal([]byte(text), &back); err != nil || back["name"] != name {
		t.Errorf("read back %q, %v", back, err)
	}
}
