package handlers

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// writing is a finalizer that writes one file.
func writing(path string) Finalizer {
	return func(_ context.Context, c *TransferJob) error {
		return c.Create(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
	}
}

func jobAt(o OutputRoots) *TransferJob {
	return &TransferJob{spec: TransferJobSpec{Outputs: o, ID: "run", FencingToken: 2, Written: make(noted)}}
}

// noted is what the final steps of a test have written.
type noted map[string]bool

func (n noted) Wrote(path, digest string) (bool, error) { return n[path+digest], nil }

func (n noted) Note(path, digest string) error {
	n[path+digest] = true
	return nil
}

func TestOutputsAreConfined(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	allowed, elsewhere := filepath.Join(base, "allowed"), filepath.Join(base, "elsewhere")
	for _, dir := range []string{filepath.Join(allowed, "sub"), elsewhere} {
		testkit.Must(t, os.MkdirAll(dir, 0o755))
	}
	for link, target := range map[string]string{"out": elsewhere, "up": "../elsewhere", "in": "sub"} {
		testkit.Must(t, os.Symlink(target, filepath.Join(allowed, link)))
	}
	below, err := NewOutputRoots([]string{allowed})
	testkit.Must(t, err)
	for path, code := range map[string]string{
		filepath.Join(allowed, "a"):                CodeNone,
		filepath.Join(allowed, "deep/er/a"):        CodeNone,
		filepath.Join(allowed, "in/a"):             CodeNone,
		filepath.Join(allowed, "sub/../a"):         CodeNone,
		allowed:                                    CodeOutsideOutputs,
		filepath.Join(allowed, "../elsewhere/a"):   CodeOutsideOutputs,
		filepath.Join(allowed, "out/a"):            CodeOutsideOutputs,
		filepath.Join(allowed, "up/a"):             CodeOutsideOutputs,
		filepath.Join(elsewhere, "a"):              CodeOutsideOutputs,
		filepath.Join(base, "allowed-not-quite/a"): CodeOutsideOutputs,
		"relative/a":                               CodeBadArgs,
		"":                                         CodeBadArgs,
	} {
		err := writing(path)(t.Context(), jobAt(below))
		if got := codeOf(err); got != code {
			t.Errorf("%s: %v, want %q", path, err, code)
		}
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
		t.Errorf("written elsewhere: %v, %v", entries, err)
	}
	if got := codeOf(writing("/x/a")(t.Context(), jobAt(OutputRoots{}))); got != CodeOutsideOutputs {
		t.Errorf("without settings: %q", got)
	}
	const transfer = "01890000-0000-7000-8000-000000000001"
	of := below.ForTransfer(transfer)
	if err := writing("deep/a")(t.Context(), jobAt(of)); err != nil {
		t.Errorf("a relative path of a transfer: %v", err)
	}
	if _, err := os.Stat(filepath.Join(allowed, transfer, "deep/a")); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"../../elsewhere/a", "../../../a"} {
		if got := codeOf(writing(path)(t.Context(), jobAt(of))); got != CodeOutsideOutputs {
			t.Errorf("%s of a transfer: %q", path, got)
		}
	}
	if got, want := of.Absolute("deep/../a"), filepath.Join(allowed, transfer, "a"); got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
	if got := (OutputRoots{}).ForTransfer(transfer).Absolute("a"); got != "" {
		t.Errorf("without a folder it is %s", got)
	}
	anywhere := AnyOutputRoot(base)
	if got := anywhere.ForTransfer(transfer).Absolute("a"); got != filepath.Join(base, "a") {
		t.Errorf("from the current folder it is %s", got)
	}
	for _, path := range []string{"relative/a", filepath.Join(elsewhere, "a"), filepath.Join(allowed, "out/b")} {
		if err := writing(path)(t.Context(), jobAt(anywhere)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(base, "relative/a")); err != nil {
		t.Error(err)
	}
}

// CodeNone is that of no error.
const CodeNone = ""

func codeOf(err error) string {
	v, ok := errors.AsType[*Verdict](err)
	if !ok && err != nil {
		return "no verdict: " + err.Error()
	}
	if !ok {
		return CodeNone
	}
	return v.Code
}

// A write that fails in the middle leaves the previous file, and no temporary file.
func TestCreateReplacesWholeFilesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for name, content := range map[string]string{filepath.Join(dir, ".baler-run-1-1"): "of an earlier try",
		filepath.Join(dir, ".baler-other-1-1"): "of another run"} {
		testkit.Must(t, os.WriteFile(name, []byte(content), 0o600))
	}
	c := jobAt(AnyOutputRoot(dir))
	testkit.Must(t, c.Create(path, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }))
	broken := errors.New("broken")
	err := c.Create(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("it holds %q, %v; want %q", got, err, want)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 || entries[0].Name() != ".baler-other-1-1" {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
	holds("old")
	testkit.Must(t, writing(path)(t.Context(), c))
	holds("new")
}

// A holder that froze while it wrote finds nothing to put in place when a later
// try has passed.
func TestFrozenWriterPutsNothingInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	late, next := jobAt(AnyOutputRoot(dir)), jobAt(AnyOutputRoot(dir))
	late.spec.FencingToken = 1
	err := late.Create(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "late"); err != nil {
			return err
		}
		return writing(path)(t.Context(), next)
	})
	if err == nil {
		t.Error("the frozen one has put its file in place")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
		t.Errorf("it holds %q, %v", got, err)
	}
	if _, _, retriable := FinalizerVerdict(err); !retriable {
		t.Errorf("it ends for good: %v", err)
	}
}

// Only what a final step of the same transfer or runs wrote is replaced, and only when
// it is still as it was written.
func TestCreateReplacesOnlyWhatItWrote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	ours, others := jobAt(AnyOutputRoot(dir)), jobAt(AnyOutputRoot(dir))
	refused := func(c *TransferJob, holds string) {
		t.Helper()
		if got := codeOf(writing(path)(t.Context(), c)); got != CodeDestinationExists {
			t.Errorf("over %s: %q, want %s", holds, got, CodeDestinationExists)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != holds {
			t.Errorf("it holds %q, %v; want %q", got, err, holds)
		}
	}
	testkit.Must(t, os.WriteFile(path, []byte("a person's"), 0o600))
	refused(ours, "a person's")
	testkit.Must(t, os.Remove(path))
	testkit.Must(t, writing(path)(t.Context(), ours))
	testkit.Must(t, writing(path)(t.Context(), ours))
	refused(others, "new")
	testkit.Must(t, os.WriteFile(path, []byte("edited"), 0o600))
	refused(ours, "edited")
	testkit.Must(t, os.Remove(path))
	testkit.Must(t, os.Symlink(filepath.Join(dir, "elsewhere"), path))
	if got := codeOf(writing(path)(t.Context(), ours)); got != CodeDestinationExists {
		t.Errorf("over a link: %q", got)
	}
}
