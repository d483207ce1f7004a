package handlers

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestOpenChunkGivesTheRange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	const content = "one\ntwo\nthree"
	testkit.Must(t, os.WriteFile(path, []byte(content), 0o600))
	roots, err := NewRoots([]string{path})
	testkit.Must(t, err)
	defer roots.Close()
	for name, tt := range map[string]struct {
		file  tasks.File
		want  string
		whole bool
	}{
		"all":             {tasks.File{Size: 13}, content, true},
		"the first part":  {tasks.File{Part: 1, Size: 4}, "one\n", true},
		"a middle part":   {tasks.File{Part: 2, Offset: 4, Size: 4}, "two\n", true},
		"the last part":   {tasks.File{Part: 3, Offset: 8, Size: 5}, "three", true},
		"an empty part":   {tasks.File{Part: 1}, "", true},
		"cut in front":    {tasks.File{Part: 2, Offset: 5, Size: 3}, "wo\n", false},
		"cut behind":      {tasks.File{Part: 2, Offset: 4, Size: 3}, "two", false},
		"behind the end":  {tasks.File{Part: 2, Offset: 14, Size: 3}, "", false},
		"longer than now": {tasks.File{Part: 2, Offset: 8, Size: 9}, "three", false},
	} {
		tt.file.Path = path
		job := NewJob(JobSpec{File: tt.file, Opener: roots})
		p, err := job.OpenChunk()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(p)
		whole, wholeErr := p.WholeLines()
		if string(got) != tt.want || err != nil || whole != tt.whole || wholeErr != nil {
			t.Errorf("%s: got %q, %v, whole %v, %v", name, got, err, whole, wholeErr)
		}
		p.Close()
		_, err = job.Open()
		if v, _ := verdictOf(orNothing(err)); (v.code == CodeNotWholeFile) != (tt.file.Part > 0) {
			t.Errorf("%s: Open gives %v", name, err)
		}
	}
}

func orNothing(err error) error {
	if err == nil {
		return Skip("nothing", "")
	}
	return err
}
