package handlers

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestBeneathOpensWhatNeedsNoLink(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "in")
	testkit.WriteFileIn(t, dir, "a/b/plain", "plain")
	testkit.WriteFileIn(t, base, "out", "out")
	link(t, "a/b/plain", dir+"/file-link")
	link(t, "a/b", dir+"/folder-link")
	link(t, base, dir+"/outward-link")
	testkit.Must(t, syscall.Mkfifo(dir+"/pipe", 0o600))
	root, err := os.OpenRoot(dir)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, root)
	fast := newBeneath(root)
	for name, opens := range map[string]bool{
		"a/b/plain":         true,
		"pipe":              true, // without waiting for its other end; Roots refuses it
		"file-link":         false,
		"folder-link/plain": false,
		"outward-link/out":  false,
		"../out":            false,
		"a/../../out":       false,
		base + "/out":       false,
		"/proc/self/exe":    false,
		"missing":           false,
	} {
		f, ok := fast.open(name)
		if ok != opens {
			t.Errorf("open %s: %t, want %t", name, ok, opens)
		}
		if ok {
			testkit.Must(t, f.Close())
		}
	}
	f, _ := fast.open("a/b/plain")
	text, err := io.ReadAll(f)
	testkit.Must(t, err)
	if string(text) != "plain" || f.Name() != dir+"/a/b/plain" {
		t.Errorf("%s: %q", f.Name(), text)
	}
	testkit.Must(t, f.Close())
	fast.close()
	if _, ok := fast.open("a/b/plain"); ok {
		t.Error("opened after close")
	}
	testkit.Must(t, root.Close())
	if newBeneath(root) != nil {
		t.Error("made from a closed root")
	}
}
