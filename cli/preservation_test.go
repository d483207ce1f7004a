package cli

import (
	"archive/tar"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// The recipe works without a scanner, says so first, and calls nothing clean.
func TestPreservationWithoutClamd(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.json", `{"a": 1}`)
	s.file("in/b.txt", "text")
	archive, err := os.Create(s.path("in/c.tar"))
	testkit.Must(t, err)
	w := tar.NewWriter(archive)
	testkit.Must(t, w.WriteHeader(&tar.Header{Name: "inner.txt", Size: 5, Mode: 0o600, Typeflag: tar.TypeReg}))
	_, err = w.Write([]byte("inner"))
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	testkit.Must(t, archive.Close())

	shown := s.must(exitOK, "recipe", "show", "preservation").stdout
	own := strings.ReplaceAll(shown, "without_clamd: warning", "without_clamd: warning, clamd: "+s.path("none"))
	if own == shown {
		t.Fatalf("the recipe is\n%s", shown)
	}
	own = strings.ReplaceAll(own, "to: preservation/", "to: "+s.path("out")+"/")
	recipe := s.file("own.yaml", strings.ReplaceAll(own, "[preservation/", "["+s.path("out")+"/"))

	const problem = "apt install clamav-daemon), or set its address with clamd (step virus-scan)"
	contains(t, "validate", s.must(exitOK, "recipe", "validate", recipe).stderr, "warning: clamd at "+s.path("none")+": ", problem)
	ran := s.must(exitOK, "run", "--recipe", recipe, s.path("in"))
	first, _, _ := strings.Cut(ran.stderr, "\n")
	contains(t, "run says last", ran.stdout, "\n\nWRITTEN BY  PATH\npremis      "+s.path("out/premis.xml")+
		"\nbag         "+s.path("out/bag")+"\nreport      "+s.path("out/report.html")+"\n")
	contains(t, "run says first", first, problem+". Files are not scanned, and end as warnings (not-scanned).")

	scanned := s.must(exitOK, "results", "latest", "--step", "virus-scan", "--json").stdout
	if strings.Count(scanned, `"virus_scan":"not-scanned"`) != 4 || strings.Contains(scanned, "clean") {
		t.Errorf("scanned:\n%s", scanned)
	}
	equal(t, "the bag", s.must(exitOK, "bag", "verify", s.path("out/bag")).stdout, s.path("out/bag")+" is valid: BagIt 1.0, 4 files, 2.0 KiB.\n")
	for _, name := range []string{"out/bag/metadata/premis.xml", "out/report.html", "out/extracted/c.tar.contents/inner.txt"} {
		if _, err := os.Stat(s.path(name)); err != nil {
			t.Error(err)
		}
	}
}

// Where outputs is set, what is written lies in a folder of the transfer; without changes nothing
// is written, and nothing said. An output in a source is refused.
func TestRunSaysWhatFinalStepsHaveWritten(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "text")
	testkit.Must(t, os.Mkdir(s.path("out"), 0o700))
	s.env = append(s.env, "BALER_OUTPUTS="+s.path("out"))
	recipe := s.file("r.yaml", "name: r\nsteps: [{handler: checksum}]\nfinally:\n  - {handler: report, with: {to: r/report.html}}\n"+
		"  - {handler: bag, with: {to: in/bag}}\n")
	run := func() (stdout, report string) {
		stdout = s.must(exitOK, "run", "--recipe", recipe, s.path("in")).stdout
		var ran struct {
			Transfer string `json:"transfer"`
		}
		testkit.Must(t, json.Unmarshal([]byte(s.must(exitOK, "status", "latest", "--json").stdout), &ran))
		return stdout, s.path("out/" + ran.Transfer + "/r/report.html")
	}
	first, report := run()
	contains(t, "the first run", first, "\n\nWRITTEN BY  PATH\nreport      "+report+"\nbag         ")
	if _, err := os.Stat(report); err != nil {
		t.Error(err)
	}
	if again, _ := run(); strings.Contains(again, "WRITTEN BY") {
		t.Errorf("without changes:\n%s", again)
	}
	testkit.Must(t, os.Remove(s.path("in/a.txt")))
	s.file("in/b.txt", "text")
	if gone, report := run(); !strings.Contains(gone, report) || strings.Count(gone, "report.html") != 1 {
		t.Errorf("after a change:\n%s", gone)
	}
	s.env = append(s.env, "BALER_OUTPUTS="+s.path("in"))
	contains(t, "in a source", s.must(exitError, "run", "--recipe", recipe, s.path("in")).stderr,
		"final step report writes a relative path, so below the first folder in BALER_OUTPUTS, which lies in the source "+s.path("in"))
}
