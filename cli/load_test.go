package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
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
	contains(t, "report", r.stdout, "LOADED  SKIPPED  DUPLICATES  REJECTED\n 1,499        1           0         1\n")
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
	contains(t, "the part's result", r.stdout, `"code":"lines-set-aside"`)
	contains(t, "its facts", r.stdout, `"bad":1`)

	// The same again: nothing to do. A changed file is loaded anew, and its key tells what is in.
	r = s.must(exitFailures, "load", path, "--into", "things", "--create", "--key", "id", "--chunk", "4KiB", "--line-column", "doc", "--json")
	if sum := loadSum(t, r); sum.Transfer != uuid || sum.Lines != 1501 || !strings.Contains(r.stderr, "No changes since") {
		t.Errorf("%+v, %s", sum, r.stderr)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(s.file("in.jsonl", jsonLines(1600, 0)), later, later); err != nil {
		t.Fatal(err)
	}
	r = s.must(exitOK, "load", path, "--into", "things", "--create", "--key", "id", "--chunk", "4KiB", "--line-column", "doc", "--json")
	if sum := loadSum(t, r); sum.Loaded != 101 || sum.Duplicates != 1499 || sum.Lines != 1600 || sum.LinesPerSecond <= 0 {
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
		{exitError, path + " --into nothing", `none called "nothing"`},
		{exitError, path + " --into results", "Baler's own"},
		{exitError, path + " --into things --map nope=id", `no column "nope"`},
		{exitError, path + " --into things --map id:number", `unknown type "number"`},
		{exitError, path + " --into things --map id=a..b", "is empty"},
		{exitError, path + " --into things --key id", "no primary or unique key of just id"},
		{exitError, path + " --into things --on-duplicate update", "needs a key"},
		{exitError, path + " --into things --on-duplicate never --key id", "must be ignore, update or error"},
		{exitError, path + " --into things --chunk 1B", "from 4KiB to 1GiB"},
		{exitError, path + "x --into new --create", "in.jsonlx: no such file or directory"},
		{exitError, empty + " --into new --create", "no file with content"},
	} {
		r := s.must(tt.code, append([]string{"load"}, strings.Fields(tt.args)...)...)
		contains(t, tt.args, r.stderr, tt.want)
	}
}

// What looks like a template or YAML in a mapping is none.
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
