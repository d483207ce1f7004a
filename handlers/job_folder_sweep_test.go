//go:build unix

package handlers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// What killed attempts have left of a file whose result is recorded goes, but for files of the
// transfer; a mark of an attempt that runs stays, and does not keep those behind it.
func TestSweepFolders(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	m.killed("t", 1, "of a killed attempt")
	running := m.job("t", 1) // it removes the first folder, and keeps the first mark
	f := m.open(running, "of one that runs")
	recorded := m.job("t", 1)
	g := m.open(recorded, "recorded")
	testkit.Must(t, g.Emit("part", ""))
	testkit.Must(t, g.Close())
	m.kill(recorded)
	m.killed("t", 2, "of another file")
	m.kept = func(folder string) bool { return folder == g.Path }

	sweep := func(when string, want ...string) {
		t.Helper()
		testkit.Must(t, m.job("t", 1).SweepFolders(t.Context(), m.out))
		got := slices.DeleteFunc(m.tree(), func(name string) bool { return filepath.Base(name) == "part" })
		if !slices.Equal(got, want) {
			t.Errorf("%s: the marks are %q, want %q", when, got, want)
		}
		if content, err := os.ReadFile(filepath.Join(g.Path, "part")); err != nil || string(content) != "recorded" {
			t.Errorf("%s: the file of the transfer is %q, %v", when, content, err)
		}
	}
	if filepath.Base(f.Path) != "a.files-2" || filepath.Base(g.Path) != "a.files-3" {
		t.Fatalf("the folders are %s and %s", f.Path, g.Path)
	}
	const other = ".baler-t-1-2.folder-1"
	sweep("while one runs", ".baler-t-1-1.folder-1", ".baler-t-1-1.folder-2", other)
	testkit.Must(t, f.Close())
	m.kill(running)
	sweep("when it has ended", other)
	sweep("again", other)
}

// Whose the files are is unknown while the database is away: folder and mark stay.
func TestSweepFoldersWithoutDatabase(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	m.killed("t", 1, "of a killed attempt")
	before := m.tree()
	away := errors.New("the database is away")
	job := m.job("t", 1)
	job.spec.EmittedIn = func(context.Context, *tasks.File, string) (bool, error) { return false, away }
	if err := job.SweepFolders(t.Context(), m.out); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	m.want("swept without the database", before...)
	testkit.Must(t, m.job("t", 1).SweepFolders(t.Context(), m.out))
	m.want("swept")
	testkit.Must(t, m.job("t", 1).SweepFolders(t.Context(), filepath.Join(m.out, "none"))) // nothing is there
}

// A file system may know no locks, as NFS whose lock service is away: then no attempt is known to
// have ended. Each writes into a folder of its own, and none removes that of another one.
func TestFoldersWithoutLocks(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	without := func() *Job {
		job := m.job("t", 1)
		job.lock = func(*os.File) (ok, held bool) { return lockAnswer(unix.ENOLCK) }
		return job
	}
	first, second := without(), without()
	f, g := m.open(first, "first"), m.open(second, "second")
	if filepath.Base(f.Path) != "a.files" || filepath.Base(g.Path) != "a.files-2" {
		t.Fatalf("the folders are %s and %s", f.Path, g.Path)
	}
	testkit.Must(t, without().SweepFolders(t.Context(), m.out))
	m.want("swept", ".baler-t-1-1.folder-1", ".baler-t-1-1.folder-2", "a.files/part", "a.files-2/part")
	for _, folder := range []*FileFolder{f, g} {
		testkit.Must(t, folder.Emit("part", ""))
		testkit.Must(t, folder.Close())
	}
	m.kept = func(folder string) bool { return folder == g.Path }
	testkit.Must(t, first.Superseded(t.Context()))
	testkit.Must(t, second.Recorded())
	m.want("at the end", "a.files-2/part")

	f = m.open(without(), "of a killed attempt")
	third := without()
	testkit.Must(t, m.open(third, "third").Close())
	testkit.Must(t, third.Recorded())
	m.want("after a killed attempt", ".baler-t-1-1.folder-1", "a.files/part", "a.files-2/part")
	testkit.Must(t, m.job("t", 1).SweepFolders(t.Context(), m.out)) // locks are known again
	m.want("swept with locks", "a.files-2/part")
	testkit.Must(t, f.root.Close())
}

// Only a lock that is held says that another attempt runs.
func TestLockAnswer(t *testing.T) {
	t.Parallel()
	for err, want := range map[error][2]bool{
		nil: {true, false}, unix.EWOULDBLOCK: {false, true}, unix.EOPNOTSUPP: {false, false}, unix.ENOLCK: {false, false},
		unix.EIO: {false, false},
	} {
		if ok, held := lockAnswer(err); [2]bool{ok, held} != want {
			t.Errorf("%v: locked %v, held %v", err, ok, held)
		}
	}
}
