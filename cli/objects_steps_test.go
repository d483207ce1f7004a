package cli

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
)

const (
	alphaSHA256 = "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"
	betaSHA256  = "f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753"
)

// Final steps read objects, and write into folders.
func TestFinalStepsOverObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	server.Put("p/sub/b.txt", "beta")
	out := s.path("out")
	recipe := s.file("final.yaml", fmt.Sprintf(`name: final
steps: [{handler: checksum}, {handler: identify, on_failure: continue}]
finally:
  - {handler: manifest, with: {to: %[1]s/manifest-sha256.txt}}
  - {handler: report, with: {to: %[1]s/report.html}}
  - {handler: premis, with: {to: %[1]s/premis.xml}}
  - {handler: mets, with: {to: %[1]s/mets.xml}}
  - {handler: bag, with: {to: %[1]s/bag}}
`, out))
	s.must(exitOK, "run", "--recipe", recipe, server.Address("p"))
	for name, want := range map[string]string{
		"manifest-sha256.txt": alphaSHA256, "premis.xml": "s3://films/p/a.txt", "mets.xml": alphaSHA256,
		"report.html": "s3://films/p", "bag/data/p/a.txt": "alpha", "bag/data/p/sub/b.txt": "beta",
	} {
		content, err := os.ReadFile(filepath.Join(out, name))
		testkit.Must(t, err)
		if !strings.Contains(string(content), want) {
			t.Errorf("%s has no %q:\n%.600s", name, want, content)
		}
	}
	s.must(exitOK, "bag", "verify", filepath.Join(out, "bag"))
}

// zipped is a zip archive of names and contents in turn.
func zipped(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		to, err := w.Create(members[i])
		testkit.Must(t, err)
		_, err = io.WriteString(to, members[i+1])
		testkit.Must(t, err)
	}
	testkit.Must(t, w.Close())
	return b.String()
}

// Members of archives become objects, which later steps and final steps read.
func TestExtractIntoBucket(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.zip", zipped(t, "one.txt", "alpha", "sub/two.txt", "beta"))
	s.env = append(s.env, "BALER_OUTPUTS="+server.Address("members")+":"+s.path("out"))
	s.file("out/there", "")
	recipe := s.file("extract.yaml", fmt.Sprintf(`name: members
steps:
  - {handler: extract, with: {to: s3://films/members}, emit_from: next, on_failure: continue}
  - {handler: checksum}
finally:
  - {handler: bag, with: {to: %s/bag}}
`, s.path("out")))
	ran := s.must(exitOK, "run", "--json", "--recipe", recipe, server.Address("p")).summary(t)
	if ran.Emitted != 2 {
		t.Errorf("%+v", ran)
	}
	text := s.must(exitOK, "results", "--json", "--step", "checksum", ran.Transfer).stdout
	for _, want := range []string{"s3://films/members/a.zip.contents/sub/two.txt", alphaSHA256, betaSHA256} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	s.must(exitOK, "bag", "verify", s.path("out/bag"))
	content, err := os.ReadFile(s.path("out/bag/data/p/a.zip.contents/sub/two.txt"))
	if err != nil || string(content) != "beta" {
		t.Errorf("%q, %v", content, err)
	}
}

// What cannot be is said before a transfer is made.
func TestStepsThatCannotWriteObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	file := s.file("in/a.txt", "alpha")
	for text, want := range map[string]string{
		"steps: [{handler: extract, with: {to: 's3://films/out?region=x'}}]":                         "to has parameters",
		"steps: [{handler: checksum}]\nfinally: [{handler: manifest, with: {to: s3://films/m.txt}}]": "object storage",
		"steps: [{handler: checksum}]\nfinally: [{handler: report, with: {to: s3://films/r.html}}]":  "object storage",
		"steps: [{handler: checksum}]\nfinally: [{handler: premis, with: {to: s3://films/p.xml}}]":   "object storage",
		"steps: [{handler: checksum}]\nfinally: [{handler: mets, with: {to: s3://films/m.xml}}]":     "object storage",
		"steps: [{handler: checksum}]\nfinally: [{handler: bag, with: {to: s3://films/bag}}]":        "object storage",
		"steps: [{handler: coprocess, with: {script: a.py, emit: s3://films/out}}]":                  "emit",
	} {
		recipe := s.file("r.yaml", "name: r\n"+text+"\n")
		for _, command := range []string{"run", "submit"} {
			if r := s.must(exitError, command, "--recipe", recipe, file); !strings.Contains(r.stderr, want) {
				t.Errorf("%s %s: %s", command, text, r.stderr)
			}
		}
	}
	if r := s.must(exitOK, "status", "--json"); r.stdout != "" {
		t.Errorf("a transfer was made: %s", r.stdout)
	}
}

// Lists of checksums that lie beside the objects count.
func TestVerifyListsInBuckets(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	server.Put("p/sub/b.txt", "beta")
	server.Put("p/SHA256SUMS", alphaSHA256+"  a.txt\n"+alphaSHA256+"  sub/b.txt\n")
	recipe := s.file("verify.yaml", "name: verify\nsteps: [{handler: verify}]\n")
	ran := s.must(exitFailures, "run", "--json", "--recipe", recipe, server.Address("p"))
	text := s.must(exitOK, "results", "--json", ran.summary(t).Transfer).stdout
	if strings.Count(text, `"digest-mismatch"`) != 1 || strings.Count(text, `"outcome":"succeeded"`) < 1 {
		t.Errorf("%s", text)
	}
	server.Put("p/SHA256SUMS", alphaSHA256+"  a.txt\n"+betaSHA256+"  sub/b.txt\n")
	s.must(exitOK, "run", "--recipe", recipe, server.Address("p"))
}
