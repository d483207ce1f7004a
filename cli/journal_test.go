package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// withoutEnd is an export without its last line, which has the time of the export.
func withoutEnd(text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Join(lines[:len(lines)-1], "")
}

// A process that is killed after it has written a transfer, and before the database knows that,
// leaves it in the journal twice. What is imported into an empty database is exported with the
// same bytes; a second import changes nothing.
func TestJournalOfAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	testkit.Must(t, os.Mkdir(s.path("journal"), 0o700))
	s.env = append(s.env, "BALER_JOURNAL_DIR="+s.path("journal"), "BALER_DATABASE_URL=sqlite:"+s.path("own.db"))
	s.file("one/a.txt", "alpha")
	s.file("one/\xff.txt", "odd")
	s.file("two/b.txt", "beta")
	cmd := exec.CommandContext(t.Context(), binary(t), "run", "-q", s.path("one"))
	cmd.Env = append(slices.Clone(s.env), failpoint.Variable+"=kill@"+string(failpoint.JournalWritten))
	err := cmd.Run()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the first run was not killed: %v", err)
	}
	// The lease of the process that died would end after a minute.
	_, err = testkit.Database(t, "sqlite:"+s.path("own.db")).ExecContext(t.Context(), "DELETE FROM leases")
	testkit.Must(t, err)
	s.must(exitOK, "run", "-q", s.path("two"))
	files, err := filepath.Glob(s.path("journal/baler-journal-*.jsonl.zst"))
	testkit.Must(t, err)
	if len(files) != 2 {
		t.Fatalf("files %v", files)
	}
	other := func(args ...string) []string { return append(args, "--database", "sqlite:"+s.path("other.db")) }
	equal(t, "imported", s.stable(s.must(exitOK, other("import", s.path("journal"))...).stdout),
		"Imported transfer ID: 2 files and 2 results.\nImported transfer ID: 1 file and 1 result.\n")
	for _, id := range []string{"1", "2"} {
		equal(t, "export "+id, withoutEnd(s.must(exitOK, other("export", id)...).stdout), withoutEnd(s.must(exitOK, "export", id).stdout))
	}
	equal(t, "again", s.stable(s.must(exitOK, other("import", files[0], files[1])...).stdout),
		"Transfer ID is in the database already, with the same 2 files and 2 results.\n"+
			"Transfer ID is in the database already, with the same 1 file and 1 result.\n")
}

// A journal of many files, some of which a killed process has left without a transfer, or with one
// that another file has too, is imported whole, and once.
func TestRotatedJournal(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"zstd", "gzip", "none"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			testkit.Must(t, os.Mkdir(s.path("journal"), 0o700))
			const transfers = 4
			for i := range transfers {
				s.file(fmt.Sprintf("%d/a.txt", i), "alpha")
				if i == 2 { // this process writes three
					s.env = append(s.env, "BALER_JOURNAL_DIR="+s.path("journal"), "BALER_JOURNAL_COMPRESSION="+compression, "BALER_JOURNAL_MAX_SIZE=1")
				}
				s.must(exitOK, "run", "-q", s.path(strconv.Itoa(i)))
			}
			files, err := filepath.Glob(s.path("journal/*"))
			testkit.Must(t, err)
			if len(files) != transfers {
				t.Fatalf("files %v", files)
			}
			text, err := os.ReadFile(files[1])
			testkit.Must(t, err)
			base := strings.TrimPrefix(files[1], s.path("journal"))
			s.file("journal"+strings.Replace(base, "Z-", "Z-killed", 1), "")
			s.file("journal"+strings.Replace(base, "Z-", "Z-torn", 1), string(text[:20]))
			s.file("journal"+strings.Replace(base, "Z-", "Z-again", 1), string(text))
			other := func(args ...string) []string { return append(args, "--database", "sqlite:"+s.path("other.db")) }
			for _, want := range []string{"Imported transfer", "is in the database already, with the same 1 file and 1 result."} {
				r := s.must(exitOK, other("import", s.path("journal"))...)
				if n := strings.Count(r.stdout, want); n != transfers || strings.Count(r.stdout, "\n") != transfers {
					t.Errorf("imported:\n%s%s", r.stdout, r.stderr)
				}
				if n := strings.Count(r.stderr, "is cut off after 0 transfers"); n != 2 {
					t.Errorf("%d files are cut off:\n%s", n, r.stderr)
				}
			}
		})
	}
}

// The last transfer of a file may be cut off. What is broken elsewhere imports nothing.
func TestBrokenJournalFiles(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"zstd", "gzip", "none"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			testkit.Must(t, os.Mkdir(s.path("journal"), 0o700))
			s.file("one/a.txt", "alpha")
			s.file("two/b.txt", "beta")
			s.must(exitOK, "run", "-q", s.path("one"))
			s.env = append(s.env, "BALER_JOURNAL_DIR="+s.path("journal"), "BALER_JOURNAL_COMPRESSION="+compression)
			s.must(exitOK, "run", "-q", s.path("two")) // it writes what has ended before
			files, err := filepath.Glob(s.path("journal/*"))
			testkit.Must(t, err)
			if len(files) != 1 {
				t.Fatalf("files %v", files)
			}
			text, err := os.ReadFile(files[0])
			testkit.Must(t, err)
			other := func(db string, args ...string) []string { return append(args, "--database", "sqlite:"+s.path(db)) }
			cut := s.file("cut/"+filepath.Base(files[0]), string(text[:len(text)-100]))
			r := s.must(exitOK, other("cut.db", "import", cut)...)
			if n := strings.Count(r.stdout, "Imported transfer"); n != 1 || !strings.Contains(r.stderr, "is cut off after 1 transfer") {
				t.Errorf("of a file that is cut off: %s%s", r.stdout, r.stderr)
			}
			spoilt := slices.Clone(text)
			spoilt[100] ^= 1
			r = s.must(exitError, other("spoilt.db", "import", s.file("spoilt/"+filepath.Base(files[0]), string(spoilt)))...)
			if strings.Contains(r.stdout, "Imported") {
				t.Errorf("of a file that is spoilt: %s%s", r.stdout, r.stderr)
			}
			s.must(exitError, other("none.db", "import", s.path("two"))...) // a folder without a journal
		})
	}
}
