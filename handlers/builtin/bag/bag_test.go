package bag

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// bagRig is a folder of files with names that a bag has to encode.
func bagRig(t *testing.T) (in string, trial handlertest.FinalizerDryRun) {
	t.Helper()
	in = filepath.Join(t.TempDir(), "in")
	testkit.Must(t, os.MkdirAll(filepath.Join(in, "sub"), 0o755))
	for i, name := range []string{"plain", "sub/100%", "new\nline", "carriage\rreturn", "back\\slash", "%0A", "empty"} {
		content := strings.Repeat("x", i)
		if name == "empty" {
			content = ""
		}
		trial.Files = append(trial.Files, builtintest.FinalFile(t, filepath.Join(in, name), content))
	}
	trial.Base, trial.Args = t.TempDir(), map[string]any{"to": "bags/one"}
	trial.Transfer = tasks.Transfer{UUID: "0195506f-8c00-7000-8000-000000000001", Files: 7, Sources: []string{in}}
	return in, trial
}

func TestBag(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	trial.Written = builtintest.NewWritten()
	for range 2 { // the second time in place of the first
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	}
	bags := filepath.Join(trial.Base, "bags")
	if entries, err := os.ReadDir(bags); err != nil || len(entries) != 1 {
		t.Errorf("beside the bag: %v, %v", entries, err)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(bags, "one", name))
		testkit.Must(t, err)
		return string(text)
	}
	if got := read("bagit.txt"); got != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n" {
		t.Errorf("bagit.txt: %q", got)
	}
	if got := read("bag-info.txt"); !strings.Contains(got, "\nPayload-Oxum: 15.7\n") || !strings.Contains(got, "\nBagging-Date: 2") {
		t.Errorf("bag-info.txt: %q", got)
	}
	manifest := read("manifest-sha256.txt")
	for _, name := range []string{"plain", "sub/100%25", "new%0Aline", "carriage%0Dreturn", "back\\slash", "%250A", "empty"} {
		if !strings.Contains(manifest, "  data/in/"+name+"\n") {
			t.Errorf("%s is not in the manifest:\n%s", name, manifest)
		}
	}
	for _, f := range trial.Files {
		copied := filepath.Join("data", "in", strings.TrimPrefix(f.Path, trial.Transfer.Sources[0]))
		if digest, _ := f.Digest("sha256"); !strings.Contains(manifest, digest+"  data/in/") || int64(len(read(copied))) != f.Size {
			t.Errorf("%s is not what it was", copied)
		}
	}
	binary, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("there is no sha256sum here")
	}
	cmd := exec.Command(binary, "--check", "--strict", "tagmanifest-sha256.txt")
	cmd.Dir = filepath.Join(bags, "one")
	if said, err := cmd.CombinedOutput(); err != nil || strings.Count(string(said), ": OK") != 3 {
		t.Errorf("%v\n%s", err, said)
	}
}

// A bag that is not right is not put in place, and nothing is left beside it.
func TestBagThatIsNotRightIsNotThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil   func(t *testing.T, in string, trial *handlertest.FinalizerDryRun)
		message string
	}{
		"a file has changed": {func(t *testing.T, in string, _ *handlertest.FinalizerDryRun) {
			t.Helper()
			builtintest.FinalFile(t, filepath.Join(in, "plain"), "changed")
		}, "digest-differs: "},
		"a file is gone": {func(t *testing.T, in string, _ *handlertest.FinalizerDryRun) {
			t.Helper()
			testkit.Must(t, os.Remove(filepath.Join(in, "empty")))
		}, "not-found: "},
		"a name that is no text": {func(t *testing.T, in string, trial *handlertest.FinalizerDryRun) {
			t.Helper()
			trial.Files = append(trial.Files, builtintest.FinalFile(t, filepath.Join(in, "\xff"), "x"))
		}, "path-not-text: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, trial := bagRig(t)
			c.spoil(t, in, &trial)
			builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, c.message)
			if entries, err := os.ReadDir(filepath.Join(trial.Base, "bags")); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestBagReplacesBagsOnly(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	bag := filepath.Join(trial.Base, "bags", "one")
	wantRefused := func(keeps string) {
		t.Helper()
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, "destination-exists: "+bag+" is there already")
		if _, err := os.Stat(keeps); err != nil {
			t.Error(err)
		}
	}
	precious := filepath.Join(bag, "precious")
	testkit.Must(t, os.MkdirAll(precious, 0o755))
	wantRefused(precious)
	testkit.Must(t, os.RemoveAll(bag))
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	wantRefused(filepath.Join(bag, bagMark)) // of another transfer

	testkit.Must(t, os.RemoveAll(bag))
	trial.Written = builtintest.NewWritten()
	for range 2 {
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	}
	note := filepath.Join(bag, "data", "in", "note")
	testkit.Must(t, os.WriteFile(note, []byte("a person's"), 0o600))
	wantRefused(note)
	testkit.Must(t, os.Rename(note, filepath.Join(bag, "data", "in", "plain")))
	testkit.Must(t, os.Remove(filepath.Join(bag, "data", "in", "empty")))
	testkit.Must(t, os.WriteFile(note, []byte("in place of another file"), 0o600))
	wantRefused(note)

	// Files that a person has added to the bag, or changed, do not count as the step's
	// either.
	for name, change := range map[string]func(name string) error{
		bagInfo: func(name string) error {
			return os.WriteFile(name, []byte("Source-Organization: the archive\n"), 0o600)
		},
		"data/in/plain": func(name string) error { return os.WriteFile(name, []byte("mine"), 0o600) },
		"data/mine":     func(name string) error { return os.Mkdir(name, 0o700) },
	} {
		testkit.Must(t, os.RemoveAll(bag))
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
		testkit.Must(t, change(filepath.Join(bag, name)))
		wantRefused(filepath.Join(bag, name))
	}
}

// A bag keeps times and empty folders, and says what it leaves out.
func TestBagKeepsFoldersAndTimes(t *testing.T) {
	t.Parallel()
	in, trial := bagRig(t)
	trial.Roots = []string{in}
	testkit.Must(t, os.MkdirAll(filepath.Join(in, "none", "at all"), 0o755))
	testkit.Must(t, os.Symlink("plain", filepath.Join(in, "link")))
	testkit.Must(t, os.Mkdir(filepath.Join(in, "no\xfftext"), 0o755))
	at := time.Date(2001, time.February, 3, 4, 5, 6, 789, time.UTC)
	for i, name := range []string{"sub/100%", "plain", "sub", "none/at all", "none", "."} {
		when := at.Add(time.Duration(i) * time.Hour)
		testkit.Must(t, os.Chtimes(filepath.Join(in, name), when, when))
	}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	bag := filepath.Join(trial.Base, "bags", "one")
	trial.Written = builtintest.NewWritten()
	testkit.Must(t, os.RemoveAll(bag))
	for range 2 { // the second time in place of the first
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	}
	for i, name := range []string{"sub/100%", "plain", "sub", "none/at all", "none", "."} {
		info, err := os.Stat(filepath.Join(bag, "data", "in", name))
		if err != nil || !info.ModTime().Equal(at.Add(time.Duration(i)*time.Hour)) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(bag, bagInfo))
	if err != nil || !strings.HasSuffix(string(text), "\nEmpty-Folders: 1\nLeft-Out: symbolic links: 1, empty folders whose names are not UTF-8: 1\n") {
		t.Errorf("%q, %v", text, err)
	}
}

// Folders that the transfer leaves out are not in the bag, empty or not.
func TestBagLeavesOutWhatTheTransferExcludes(t *testing.T) {
	t.Parallel()
	in, trial := bagRig(t)
	trial.Roots = []string{in}
	trial.Transfer.Selection.Exclude = []string{"cache/"}
	testkit.Must(t, os.MkdirAll(filepath.Join(in, "cache", "empty"), 0o755))
	testkit.Must(t, os.MkdirAll(filepath.Join(in, "kept"), 0o755))
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	data := filepath.Join(trial.Base, "bags", "one", "data", "in")
	if _, err := os.Stat(filepath.Join(data, "kept")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, "cache")); !os.IsNotExist(err) {
		t.Errorf("the bag holds a folder that the transfer excludes: %v", err)
	}
}

func TestBagCountsFilesWithoutADigest(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	trial.Files[0].Facts = nil
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "not-verified: 1 of 7 files had no digest to check their copies by: ")
}

func TestBagStopsWithItsContext(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trial.Run(ctx, Finalize); err == nil {
		t.Error("it went on")
	}
}

func TestCommonFolder(t *testing.T) {
	t.Parallel()
	for want, sources := range map[string][]string{
		"/srv":   {"/srv/a"},
		"/srv/a": {"/srv/a/b", "/srv/a/c/d"},
		"/":      {"/srv/a", "/home/b"},
		"/x":     {"/x/a", "/x/ab/c", "/x/a/d"},
	} {
		if got := commonFolder(sources); got != want {
			t.Errorf("%v: %s, want %s", sources, got, want)
		}
	}
	if got := commonFolder([]string{"/"}); got != "/" {
		t.Error(fmt.Sprint("of a list: ", got))
	}
}
