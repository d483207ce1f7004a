package handlers

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestEmit(t *testing.T) {
	t.Parallel()
	out, other := t.TempDir(), t.TempDir()
	member := filepath.Join(out, "a.zip.contents", "m")
	testkit.WriteFile(t, member, "alpha")
	testkit.WriteFile(t, filepath.Join(other, "x"), "x")
	testkit.Must(t, os.Symlink(filepath.Join(other, "x"), filepath.Join(out, "link")))
	outputs, err := NewOutputRoots([]string{out})
	testkit.Must(t, err)
	from := &tasks.Emission{Parent: 2, Top: 1, Depth: 1, Base: out}
	job := NewJob(JobSpec{File: tasks.File{No: 3, Path: filepath.Join(out, "a.zip"), Emitted: from}, Step: 2, Outputs: outputs})
	for _, bad := range []EmittedFile{
		{Path: member, Name: "", Base: out}, {Path: member, Name: "a\x00", Base: out}, {Path: member, Name: strings.Repeat("n", 4097), Base: out},
		{Path: "m", Name: "m", Base: out}, {Path: member, Name: "m", Base: other}, {Path: out, Name: "m", Base: out},
		{Path: out + "/a/../m", Name: "m", Base: out}, {Path: filepath.Join(other, "x"), Name: "m", Base: other},
		{Path: filepath.Join(out, "link"), Name: "m", Base: out}, {Path: filepath.Dir(member), Name: "m", Base: out},
		{Path: filepath.Join(out, "gone"), Name: "m", Base: out},
	} {
		if err := job.Emit(bad); err == nil {
			t.Errorf("emitted %+v", bad)
		}
	}
	testkit.Must(t, job.Emit(EmittedFile{Path: member, Name: "m", Base: out}))
	job.Done()
	if err := job.Emit(EmittedFile{Path: member, Name: "late", Base: out}); !errors.Is(err, ErrDone) {
		t.Errorf("emitted by a job that is done: %v", err)
	}
	emitted := job.Result().Emitted
	want := tasks.Emission{Parent: 3, Top: 1, Depth: 2, Step: 2, Name: "m", Base: out}
	if len(emitted) != 1 || emitted[0].Path != member || emitted[0].Size != 5 || emitted[0].MTime.IsZero() || *emitted[0].Emitted != want {
		t.Errorf("emitted %+v", emitted)
	}
	if rel := job.RelativePath(); rel != "a.zip" || job.Depth() != 1 {
		t.Errorf("the file is %q at depth %d", rel, job.Depth())
	}
}

// An emitted file is opened where it was written, also when that is in no root.
func TestOpenEmitted(t *testing.T) {
	t.Parallel()
	out, source := t.TempDir(), t.TempDir()
	testkit.WriteFile(t, filepath.Join(out, "m"), "alpha")
	testkit.WriteFile(t, filepath.Join(source, "a"), "a")
	outputs, err := NewOutputRoots([]string{out})
	testkit.Must(t, err)
	roots := rootsOf(t, source)
	open := func(f tasks.File, path string) error {
		t.Helper()
		file, err := NewJob(JobSpec{File: f, Opener: OpenerFor(&f, roots, outputs), Outputs: outputs}).OpenOther(path)
		if err == nil {
			testkit.Must(t, file.Close())
		}
		return err
	}
	m := filepath.Join(out, "m")
	emitted := tasks.File{Path: m, Emitted: &tasks.Emission{Base: out}}
	testkit.Must(t, open(emitted, m))
	testkit.Must(t, open(emitted, filepath.Join(source, "a")))
	if err := open(tasks.File{Path: m}, m); err == nil {
		t.Error("a file from the sources may read what was written")
	}
	if err := open(tasks.File{Path: m, Emitted: &tasks.Emission{Base: "/"}}, "/etc/passwd"); err == nil {
		t.Error("an emitted file may read anything")
	}
}
