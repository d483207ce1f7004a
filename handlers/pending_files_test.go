package handlers

import (
	"errors"
	"io"
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
