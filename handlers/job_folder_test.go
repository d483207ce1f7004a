package handlers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// foldersOf makes jobs of one file, which may write below out.
type foldersOf struct {
	t    *testing.T
	out  string
	kept func(folder string) bool // is in the database
}

func (m *foldersOf) job(transfer string, no int64) *Job {
	m.t.Helper()
	outputs, err := NewOutputRoots([]string{m.out})
	testkit.Must(m.t, err)
	return NewJob(JobSpec{
		File: tasks.File{No: no, Path: "/in/a"}, Sources: []string{"/in"}, Step: 1, Attempt: 1, Outputs: outputs, TransferUUID: transfer,
		EmittedIn: func(_ context.Context, _ *tasks.File, folder string) (bool, error) {
			return m.kept != nil && m.kept(folder), nil
		},
	})
}

// open makes a folder, and writes a file into it.
func (m *foldersOf) open(job *Job, content string) *FileFolder {
	m.t.Helper()
	f, err := job.MakeFolder(m.t.Context(), m.out)
	testkit.Must(m.t, err)
	testkit.Must(m.t, os.WriteFile(filepath.Join(f.Path, "part"), []byte(content), 0o600))
	return f
}

// kill ends the locks of a job, as the end of its process does.
func (m *foldersOf) kill(job *Job) {
	m.t.Helper()
	for _, mark := range job.marks {
		testkit.Must(m.t, mark.unlock())
	}
}

// killed leaves a folder of a worker that is killed.
func (m *foldersOf) killed(transfer string, no int64, content string) *FileFolder {
	m.t.Helper()
	job := m.job(transfer, no)
	f := m.open(job, content)
	m.kill(job)
	return f
}

// tree lists what is below out.
func (m *foldersOf) tree() (all []string) {
	m.t.Helper()
	testkit.Must(m.t, filepath.WalkDir(m.out, func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			all = append(all, strings.TrimPrefix(path, m.out+"/"))
		}
		return err
	}))
	return all
}

func (m *foldersOf) want(when string, want ...string) {
	m.t.Helper()
	if got := m.tree(); !slices.Equal(got, want) {
		m.t.Errorf("%s: there is %q, not %q", when, got, want)
	}
}

// What a killed attempt has left is removed by the next one, which writes elsewhere.
func TestFolderOfAKilledAttempt(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	m.killed("t", 1, "of the killed attempt")
	again := m.job("t", 1)
	f := m.open(again, "whole")
	if filepath.Base(f.Path) != "a.files-2" {
		t.Errorf("the second attempt writes into %s", f.Path)
	}
	testkit.Must(t, f.Emit("part", ""))
	testkit.Must(t, f.Close())
	if got := m.tree(); len(got) != 3 { // with the two marks
		t.Errorf("there is %q", got)
	}
	testkit.Must(t, again.Recorded())
	m.want("recorded", "a.files-2/part")
}

// Files of the transfer stay, whoever runs later.
func TestFolderWithEmittedFilesStays(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	job := m.job("t", 1)
	f := m.open(job, "emitted")
	testkit.Must(t, f.Emit("part", ""))
	testkit.Must(t, f.Close())
	m.kill(job) // after the result is recorded
	m.kept = func(folder string) bool { return folder == f.Path }
	retried := m.job("t", 1)
	testkit.Must(t, m.open(retried, "new").Close())
	testkit.Must(t, retried.Recorded())
	m.want("retried", "a.files/part")
}

// The folders of others stay, with or without a mark: of another file, of another database, and
// one that took the name of a folder that is gone.
func TestFoldersOfOthersStay(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	m.open(m.job("other", 1), "of another database")
	m.open(m.job("t", 2), "of another file")
	f := m.killed("t", 1, "of the killed attempt")
	if filepath.Base(f.Path) != "a.files-3" {
		t.Fatal(f.Path)
	}
	testkit.Must(t, os.Rename(f.Path, f.Path+".gone"))
	testkit.Must(t, os.Mkdir(f.Path, 0o700))
	testkit.Must(t, os.WriteFile(filepath.Join(f.Path, "mine"), nil, 0o600))
	again := m.job("t", 1)
	testkit.Must(t, m.open(again, "new").Close())
	testkit.Must(t, again.Recorded())
	got := slices.DeleteFunc(m.tree(), func(name string) bool { return strings.HasPrefix(name, ".baler-") })
	if !slices.Equal(got, []string{"a.files/part", "a.files-2/part", "a.files-3/mine", "a.files-3.gone/part"}) {
		t.Errorf("there is %q", got)
	}
}

// A failed attempt that ended as it should leaves nothing, and the next one takes its name.
func TestFolderOfAFailedAttempt(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	testkit.Must(t, m.open(m.job("t", 1), "failed").Close())
	m.want("failed")
	f := m.open(m.job("t", 1), "again")
	if filepath.Base(f.Path) != "a.files" {
		t.Error(f.Path)
	}
	testkit.Must(t, f.Close())
}

// What somebody has put where a mark would be stays as it is, and the next name is taken.
func TestFolderWhoseMarkIsTaken(t *testing.T) {
	t.Parallel()
	for what, put := range map[string]func(path string) error{
		"a file":                     func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"a long file of digits":      func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("1", 100)), 0o600) },
		"a folder":                   func(path string) error { return os.Mkdir(path, 0o700) },
		"a link that leads nowhere":  func(path string) error { return os.Symlink("nowhere", path) },
		"a link to the file of mine": func(path string) error { return os.Symlink("mine", path) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := &foldersOf{t: t, out: t.TempDir()}
			testkit.Must(t, os.WriteFile(filepath.Join(m.out, "mine"), []byte("12345"), 0o600))
			mark := filepath.Join(m.out, ".baler-t-1-1.folder-1")
			testkit.Must(t, put(mark))
			before, err := os.Lstat(mark)
			testkit.Must(t, err)
			job := m.job("t", 1)
			f := m.open(job, "whole")
			testkit.Must(t, f.Emit("part", ""))
			testkit.Must(t, f.Close())
			testkit.Must(t, job.Recorded())
			after, err := os.Lstat(mark)
			if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() {
				t.Errorf("what had the name of the mark: %v, %v", after, err)
			}
			if content, err := os.ReadFile(filepath.Join(m.out, "mine")); err != nil || string(content) != "12345" {
				t.Errorf("the file of somebody else has %q, %v", content, err)
			}
			if _, err := os.Lstat(filepath.Join(m.out, "nowhere")); err == nil {
				t.Error("a link was followed")
			}
			if filepath.Base(f.Path) != "a.files-2" {
				t.Errorf("the folder is %s", f.Path)
			}
		})
	}
}

// A mark that its killed worker has not written whole does not keep the file from its outputs.
func TestFolderWithAnEmptyMark(t *testing.T) {
	t.Parallel()
	m := &foldersOf{t: t, out: t.TempDir()}
	m.killed("t", 1, "of the killed attempt")
	testkit.Must(t, os.Truncate(filepath.Join(m.out, ".baler-t-1-1.folder-1"), 0))
	again := m.job("t", 1)
	f := m.open(again, "whole")
	testkit.Must(t, f.Emit("part", ""))
	testkit.Must(t, f.Close())
	testkit.Must(t, again.Recorded())
	m.want("recorded", "a.files/part", "a.files-2/part") // whose the first one is is unknown
}

// An attempt that still runs keeps its folder and its mark, whatever a later one does. What becomes
// of them when it ends depends on whose result is recorded.
func TestFolderOfAnAttemptThatRuns(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		settle func(m *foldersOf, job *Job) error
		kept   bool // the database has the files of the slow attempt
		want   []string
	}{
		"superseded": {settle: func(m *foldersOf, job *Job) error { return job.Superseded(m.t.Context()) }},
		"it was recorded before": {
			settle: func(m *foldersOf, job *Job) error { return job.Superseded(m.t.Context()) }, kept: true,
			want: []string{"a.files/part"},
		},
		"recorded": {settle: func(_ *foldersOf, job *Job) error { return job.Recorded() }, want: []string{"a.files/part"}},
		"unknown": {
			settle: func(_ *foldersOf, job *Job) error { return job.Release() },
			want:   []string{".baler-t-1-1.folder-1", "a.files/part"},
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := &foldersOf{t: t, out: t.TempDir()}
			slow, quick := m.job("t", 1), m.job("t", 1)
			f := m.open(slow, "slow")
			testkit.Must(t, f.Emit("part", ""))
			g := m.open(quick, "quick")
			testkit.Must(t, g.Close())
			testkit.Must(t, quick.Recorded())
			m.want("while it runs", ".baler-t-1-1.folder-1", "a.files/part")
			testkit.Must(t, f.Close())
			m.want("before it is settled", ".baler-t-1-1.folder-1", "a.files/part")
			if tt.kept {
				m.kept = func(folder string) bool { return folder == f.Path }
			}
			testkit.Must(t, tt.settle(m, slow))
			m.want("at the end", tt.want...)
			for range 2 { // nothing more happens
				testkit.Must(t, slow.Recorded())
				testkit.Must(t, slow.Superseded(t.Context()))
			}
			m.want("again", tt.want...)
		})
	}
}

// A handler that does not end with its batch closes its folder last.
func TestFolderThatIsClosedAfterTheResult(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		settle func(job *Job) error
		emit   bool
		want   []string
	}{
		"recorded":              {settle: (*Job).Recorded, emit: true, want: []string{"a.files/part"}},
		"recorded without":      {settle: (*Job).Recorded},
		"unknown":               {settle: (*Job).Release, emit: true, want: []string{".baler-t-1-1.folder-1", "a.files/part"}},
		"unknown, without":      {settle: (*Job).Release},
		"superseded":            {settle: superseded, emit: true, want: []string{".baler-t-1-1.folder-1", "a.files/part"}},
		"superseded, without":   {settle: superseded},
		"never settled without": {settle: func(*Job) error { return nil }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := &foldersOf{t: t, out: t.TempDir()}
			job := m.job("t", 1)
			f := m.open(job, "late")
			if tt.emit {
				testkit.Must(t, f.Emit("part", ""))
			}
			testkit.Must(t, tt.settle(job))
			m.want("while it is open", ".baler-t-1-1.folder-1", "a.files/part")
			testkit.Must(t, m.open(m.job("t", 1), "next").Close()) // leaves it alone
			testkit.Must(t, f.Close())
			m.want("closed", tt.want...)
			m.kept = func(string) bool { return false }
			next := m.job("t", 1)
			testkit.Must(t, m.open(next, "next").Close())
			testkit.Must(t, next.Recorded())
			if what != "recorded" {
				m.want("after the next attempt")
			}
		})
	}
}

func superseded(job *Job) error { return job.Superseded(context.Background()) }

// A folder that cannot be looked up in the database, or removed, keeps its mark.
func TestFolderThatCannotBeSettled(t *testing.T) {
	t.Parallel()
	away := errors.New("the database is away")
	m := &foldersOf{t: t, out: t.TempDir()}
	job := m.job("t", 1)
	f := m.open(job, "slow")
	testkit.Must(t, f.Emit("part", ""))
	testkit.Must(t, f.Close())
	job.spec.EmittedIn = func(context.Context, *tasks.File, string) (bool, error) { return false, away }
	if err := job.Superseded(t.Context()); !errors.Is(err, away) {
		t.Errorf("the database does not say whose the files are, and the error is %v", err)
	}
	m.want("superseded", ".baler-t-1-1.folder-1", "a.files/part")

	next := m.job("t", 1)
	next.spec.EmittedIn = job.spec.EmittedIn
	if _, err := next.MakeFolder(t.Context(), m.out); !errors.Is(err, away) {
		t.Errorf("the next attempt does not learn whose the files are, and the error is %v", err)
	}
	testkit.Must(t, next.Recorded()) // as failed, for good
	m.want("the next attempt has failed", ".baler-t-1-1.folder-1", "a.files/part")
	testkit.Must(t, m.open(m.job("t", 1), "last").Close())
}
