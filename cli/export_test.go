package cli

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestExportWritesEveryResult(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("in/\xff.txt", "odd")
	s.must(exitFailures, "run", "-q", "--missing-ok", "--recipe", "checksum", s.path("in"), s.path("gone"))
	lines := strings.Split(strings.TrimSuffix(s.must(exitOK, "export", "latest").stdout, "\n"), "\n")
	if len(lines) != 8 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	contains(t, "the transfer", lines[0], `{"type":"transfer","version":1,"transfer":"`, `"state":"completed"`, `"recipe":"`)
	contains(t, "a file", strings.Join(lines[1:4], "\n"), `{"type":"file","file":1,"path":"`, `"scan_error":"not-found: `)
	contains(t, "a result", strings.Join(lines[4:7], "\n"), `{"type":"result","transfer":"`, `"facts":{"sha256":"`, `"outcome":"failed"`)
	contains(t, "the end", lines[7], `{"type":"end","transfer":"`, `"files":3,"results":3,"state":"completed"`, `"digest":"sha256:`)

	out := s.path("out.parquet")
	equal(t, "to a file", s.stable(s.must(exitOK, "export", "latest", "--output", out).stdout),
		"Exported 3 results of transfer ID to DIR/out.parquet.\n")
	content, err := os.ReadFile(out)
	testkit.Must(t, err)
	if string(content[:4]) != "PAR1" || string(content[len(content)-4:]) != "PAR1" {
		t.Errorf("%s is no Parquet", out)
	}
	contains(t, "again", s.must(exitError, "export", "latest", "-o", out, "--format", "csv").stderr,
		"out.parquet exists: give another name, or --force to replace it")
	kept, err := os.ReadFile(out)
	testkit.Must(t, err)
	equal(t, "kept", string(kept), string(content))
	var o exportObject
	reported := s.must(exitOK, "export", "latest", "-o", out, "--format", "jsonl", "--force", "--json").stdout
	testkit.Must(t, json.Unmarshal([]byte(reported), &o))
	if o.Type != "export" || o.Files != 3 || o.Results != 3 || o.State != "completed" || o.Format != "jsonl" {
		t.Errorf("reported %+v", o)
	}
	contains(t, "a folder", s.must(exitError, "export", "latest", "-o", s.path("in")).stderr, "in is a folder")
	contains(t, "no folder", s.must(exitError, "export", "latest", "-o", s.path("none/x.csv")).stderr, "no such file or directory")
	contains(t, "format", s.must(exitUsage, "export", "latest", "--format", "parqet").stderr,
		`must be jsonl, csv or parquet; did you mean "parquet"?`)
	contains(t, "force", s.must(exitUsage, "export", "latest", "--force").stderr, "--force is for --output")
	contains(t, "unknown", s.must(exitError, "export", "77").stderr, "77")
	left, err := filepath.Glob(s.path(".*.tmp"))
	testkit.Must(t, err)
	if len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// An export that fails leaves neither a file nor a part of one, and what was there stays.
func TestExportThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitOK, "run", "-q", "--recipe", "checksum", s.path("in"))
	s.exec("UPDATE transfers SET files = 2")
	old := s.file("out.jsonl", "old")
	contains(t, "missing rows", s.must(exitError, "export", "latest", "-o", old, "--force").stderr,
		" has 1 of 2 files in the database: rows of the table files are missing")
	content, err := os.ReadFile(old)
	testkit.Must(t, err)
	equal(t, "the old file", string(content), "old")
	found, err := os.ReadDir(s.dir)
	testkit.Must(t, err)
	for _, f := range found {
		if strings.HasSuffix(f.Name(), ".tmp") {
			t.Errorf("%s is left", f.Name())
		}
	}
}

func TestExportThroughAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	url := s.served()
	s.must(exitOK, "submit", "--wait", "--recipe", "checksum", s.path("in"))
	for _, format := range []string{"jsonl", "csv", "parquet"} {
		direct := s.must(exitOK, "export", "latest", "--format", format)
		through := s.must(exitOK, "export", "latest", "--format", format, "--server", url)
		if format == "jsonl" { // the last line has the time of the export
			direct.stdout, through.stdout = direct.stdout[:strings.LastIndex(direct.stdout, "exported_at")],
				through.stdout[:strings.LastIndex(through.stdout, "exported_at")]
		}
		equal(t, format, through.stdout, direct.stdout)
		equal(t, format+" notes", through.stderr, direct.stderr)
	}
	s.must(exitOK, "submit", "--recipe", "checksum", "--queue", "nobody", s.path("in"))
	for _, server := range [][]string{nil, {"--server", url}} {
		contains(t, "unfinished", s.must(exitOK, append([]string{"export", "latest", "--format", "csv"}, server...)...).stderr,
			"note: the transfer is running; the export has what was recorded when it began: 0 of 1 file finished")
	}
	// An answer that breaks off is no export.
	s.must(exitOK, "cancel", "latest")
	s.exec("UPDATE transfers SET files = 9")
	contains(t, "early", s.must(exitError, "export", "latest", "-o", s.path("x.jsonl"), "--server", url).stderr,
		"could not export the transfer; its log has the error")
	for range 3000 {
		s.file("many/"+rand.Text(), "")
	}
	s.must(exitOK, "submit", "--wait", "--recipe", "checksum", s.path("many"))
	s.exec("UPDATE transfers SET files = files + 1")
	contains(t, "cut off", s.must(exitError, "export", "latest", "-o", s.path("x.jsonl"), "--server", url).stderr,
		"the export is not complete")
	if _, err := os.Stat(s.path("x.jsonl")); err == nil {
		t.Error("a part of an export is there")
	}
}
