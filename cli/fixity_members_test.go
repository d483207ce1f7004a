package cli

import (
	"archive/tar"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// The digest of an archive stands for its members. What was extracted is outside of the
// sources; it is compared when its folder is a source.
func TestFixityOfArchivesAndOfWhatWasExtracted(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/b.txt", "text")
	archive, err := os.Create(s.path("in/c.tar"))
	testkit.Must(t, err)
	w := tar.NewWriter(archive)
	testkit.Must(t, w.WriteHeader(&tar.Header{Name: "inner.txt", Size: 5, Mode: 0o600, Typeflag: tar.TypeReg}))
	_, err = w.Write([]byte("inner"))
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	testkit.Must(t, archive.Close())
	recipe := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: checksum\n  - handler: extract\n    with: {to: "+s.path("out")+", replace: true}\n")
	if n := s.must(exitOK, "run", "--json", "--recipe", recipe, s.path("in")).summary(t).Files; n != 3 {
		t.Fatalf("%d files, with the member", n)
	}
	const clean = "0 damaged, 0 missing, 0 moved, 0 changed, 0 new, 2 unchanged"
	contains(t, "members are not missing", s.must(exitOK, "run", "--recipe", "fixity", s.path("in")).stdout, clean)

	member := s.path("out/c.tar.contents/inner.txt")
	s.must(exitOK, "run", "--recipe", "fixity", s.path("out"))
	before, err := os.Stat(member)
	testkit.Must(t, err)
	testkit.Must(t, os.WriteFile(member, []byte("INNER"), 0o600))
	testkit.Must(t, os.Chtimes(member, before.ModTime(), before.ModTime()))
	contains(t, "not of the sources", s.must(exitOK, "run", "--recipe", "fixity", s.path("in")).stdout, clean)
	found := s.must(exitFailures, "run", "--recipe", "fixity", s.path("out")).stdout
	contains(t, "the folder as a source", found, "1 damaged")

	// A flipped bit in the archive is one of the archive.
	content, err := os.ReadFile(s.path("in/c.tar"))
	testkit.Must(t, err)
	before, err = os.Stat(s.path("in/c.tar"))
	testkit.Must(t, err)
	flipped := strings.Replace(string(content), "inner\x00", "inneR\x00", 1)
	testkit.Must(t, os.WriteFile(s.path("in/c.tar"), []byte(flipped), 0o600))
	testkit.Must(t, os.Chtimes(s.path("in/c.tar"), before.ModTime(), before.ModTime()))
	contains(t, "the archive", s.must(exitFailures, "run", "--recipe", "fixity", s.path("in")).stdout, "1 damaged, 0 missing", "c.tar")
}
