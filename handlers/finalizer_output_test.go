package handlers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A copy to a new file can distinguish errors of writing from those of reading by their
// verdict.
func TestNewFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, root)
	f, err := os.Open(os.DevNull)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, f)
	_, err = io.Copy(newFile{f}, strings.NewReader("text"))
	var v *Verdict
	if !errors.As(err, &v) || v.Code != CodeIO || v.Outcome != tasks.OutcomeError {
		t.Errorf("writing to a file that is only read: %v", err)
	}
	testkit.Must(t, WriteNew(root, "y", func(w io.Writer) error {
		_, err := io.WriteString(w, "text")
		return err
	}))
	if got, err := os.ReadFile(filepath.Join(root.Name(), "y")); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
}

// What another transfer puts in the place of a final step's file while that is written stays.
func TestFinalFileReplacesNothing(t *testing.T) {
	t.Parallel()
	to := t.TempDir()
	outputs, err := NewOutputRoots([]string{to})
	testkit.Must(t, err)
	path := filepath.Join(to, "manifest")
	err = NewTransferJob(TransferJobSpec{Outputs: outputs}).Create(path, func(w io.Writer) error {
		testkit.Must(t, os.WriteFile(path, []byte("of another"), 0o600))
		_, err := io.WriteString(w, "mine")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("the error is %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "of another" {
		t.Errorf("%q, %v", content, err)
	}
}
