package bag

import (
	"crypto/sha512"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A bag with several manifests has all files in each, and its later version replaces it.
func TestBagWithManifestsAndInfo(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	trial.Written = builtintest.NewWritten()
	long := strings.Repeat("correspondence of the years between ", 6)
	trial.Args = map[string]any{
		"to": "bag", "algorithms": []any{"sha512", "md5"},
		"info": map[string]any{
			"Source-Organization": "Archive", "Contact-Name": []any{"A", "B"}, "External-Description": long, "external-identifier": "DE-1/7", "Count": 3.0,
		},
	}
	for range 2 {
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(trial.Base, "bag", name))
		testkit.Must(t, err)
		return string(text)
	}
	sum := sha512.Sum512([]byte(strings.Repeat("x", 1)))
	if got := read("manifest-sha512.txt"); strings.Count(got, "\n") != 7 || !strings.Contains(got, hex.EncodeToString(sum[:])+"  data/in/sub/100%25\n") {
		t.Errorf("manifest:\n%s", got)
	}
	if got := read("tagmanifest-md5.txt"); strings.Count(got, "\n") != 4 || !strings.Contains(got, "  manifest-sha512.txt\n") || !strings.Contains(got, "  manifest-md5.txt\n") {
		t.Errorf("tag manifest:\n%s", got)
	}
	if _, err := os.Stat(filepath.Join(trial.Base, "bag", "manifest-sha256.txt")); err == nil {
		t.Error("there is a manifest without the argument for it")
	}
	info := read(bagInfo)
	for _, want := range []string{
		"\nSource-Organization: Archive\n", "\nContact-Name: A\nContact-Name: B\n", "\nexternal-identifier: DE-1/7\n", "\nCount: 3\n", "\nPayload-Oxum: 15.7\n",
		"\nBag-Size: 15 B\n", "Bag-Software-Agent: Baler dry-run\n",
	} {
		if !strings.Contains(info, want) {
			t.Errorf("bag-info.txt has no %q:\n%s", want, info)
		}
	}
	if strings.Contains(info, "External-Identifier:") {
		t.Errorf("two identifiers:\n%s", info)
	}
	for line := range strings.Lines(info) {
		if len(line) > lineLength+1 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	if unfolded := strings.ReplaceAll(info, "\n ", " "); !strings.Contains(unfolded, "\nExternal-Description: "+strings.TrimSpace(long)+"\n") {
		t.Errorf("the description has changed:\n%s", info)
	}
}

// Copies are compared with any digest that is known, and a bag without one says so.
func TestBagComparesWithTheDigestsThatAreKnown(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	trial.Args = map[string]any{"to": "bag", "algorithms": []any{"md5"}}
	trial.Files[0].Facts = map[string]any{"md5": "00"}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, "has the md5 ")
	trial.Files[0].Facts = map[string]any{"sha1": "00"}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "not-verified: 1 of 7 files")
	trial.Args = map[string]any{"to": "other", "algorithms": []any{"md5"}}
	trial.Files[1].Facts = map[string]any{"sha256": "00"} // no manifest of the bag, and still wrong
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, "has the sha256 ")
}

func TestBagArguments(t *testing.T) {
	t.Parallel()
	info := func(name string, value any) map[string]any {
		return map[string]any{"to": "/x", "info": map[string]any{name: value}}
	}
	for want, args := range map[string]any{
		"to is missing":                    map[string]any{},
		"algorithms is empty":              map[string]any{"to": "/x", "algorithms": []any{}},
		`unknown algorithm "crc"`:          map[string]any{"to": "/x", "algorithms": []any{"crc"}},
		"the algorithm md5 is there twice": map[string]any{"to": "/x", "algorithms": []any{"md5", "md5"}},
		"is written by Baler itself":       info("payload-oxum", "1.1"),
		"is not a name of a field":         info("a:b", "x"),
		`"a\nTag: b" contains a control`:   info("Note", "a\nTag: b"),
		"Empty: it is empty":               info("Empty", " "),
		"it must be a text":                info("List", map[string]any{}),
	} {
		if _, err := newBagArgs(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}
