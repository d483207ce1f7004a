package handlers

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Nothing is in place before Put, and what is never put in place leaves nothing.
func TestPendingFiles(t *testing.T) {
	to := t.TempDir()
	outputs, err := NewOutputRoots([]string{to})
	testkit.Must(t, err)
	job := NewJob(JobSpec{File: tasks.File{No: 1, Path: "/in/a"}, Outputs: outputs})
	at := func(name string) string { return filepath.Join(to, name) }
	text := func(content string) func(w io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		}
	}
	testkit.Must(t, os.WriteFile(at("same"), []byte("same"), 0o600))
	pending := job.Pending()
	for _, name := range []string{"b", "sub/c", "late", "same", "also"} {
		_, err := pending.Create(t.Context(), at(name), CreateOptions{}, text(name))
		testkit.Must(t, err)
		if _, err := os.Stat(at(name)); err == nil && name != "same" {
			t.Errorf("%s is in place", name)
		}
	}
	testkit.Must(t, os.WriteFile(at("late"), []byte("of another"), 0o600))
	testkit.Must(t, os.WriteFile(at("also"), []byte("also"), 0o600))
	var put, refused []string
	testkit.Must(t, pending.Put(t.Context(), func(c Created, err error) error {
		if v, ok := errors.AsType[*Verdict](err); ok && v.Code == CodeDestinationExists {
			refused = append(refused, v.Err.Error())
			return nil
		}
		put = append(put, c.Path)
		return err
	}))
	if want := []string{at("b"), at("sub/c"), at("same"), at("also")}; !slices.Equal(put, want) || len(refused) != 1 {
		t.Errorf("put %q, refused %q", put, refused)
	}
	for name, want := range map[string]string{"b": "b", "sub/c": "sub/c", "late": "of another", "same": "same"} {
		if content, err := os.ReadFile(at(name)); err != nil || string(content) != want {
			t.Errorf("%s has %q, %v", name, content, err)
		}
	}

	_, err = pending.Create(t.Context(), at("never"), CreateOptions{}, text("never"))
	testkit.Must(t, err)
	testkit.Must(t, pending.Close())
	var left []string
	entries, err := os.ReadDir(to)
	testkit.Must(t, err)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, []string{"also", "b", "late", "same", "sub"}) {
		t.Errorf("left %q", left)
	}
}

// Of two that put a file in the same place at the same time, one is refused: the sources of both
// may be removed afterwards. A link that leads nowhere stays, too.
func TestPlaceReplacesNothing(t *testing.T) {
	t.Parallel()
	to := t.TempDir()
	root, err := os.OpenRoot(to)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, root)
	testkit.Must(t, root.WriteFile("temporary", []byte("new"), 0o600))
	testkit.Must(t, root.WriteFile("taken", []byte("of another"), 0o600))
	if err := place(root, "temporary", "taken", false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the place of another: %v", err)
	}
	if content, err := root.ReadFile("taken"); err != nil || string(content) != "of another" {
		t.Errorf("%q, %v", content, err)
	}
	testkit.Must(t, place(root, "temporary", "free", false))
	testkit.Must(t, place(root, "free", "taken", true))
	if content, err := root.ReadFile("taken"); err != nil || string(content) != "new" {
		t.Errorf("%q, %v", content, err)
	}

	testkit.Must(t, root.Symlink("nowhere", "link"))
	outputs, err := NewOutputRoots([]string{to})
	testkit.Must(t, err)
	job := NewJob(JobSpec{File: tasks.File{No: 1, Path: "/in/a"}, Outputs: outputs})
	_, err = job.Create(t.Context(), filepath.Join(to, "link"), CreateOptions{}, func(w io.Writer) error {
		_, err := io.WriteString(w, "x")
		return err
	})
	if v, ok := errors.AsType[*Verdict](err); !ok || v.Code != CodeDestinationExists {
		t.Errorf("in the place of a link: %v", err)
	}
	entries, err := os.ReadDir(to)
	testkit.Must(t, err)
	if len(entries) != 2 {
		t.Errorf("left %v", entries)
	}
}
