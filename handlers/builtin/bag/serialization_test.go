package bag

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/bagit"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A bag as one file is the bag, in a folder of its name; it replaces only what Baler wrote.
func TestSerializedBag(t *testing.T) {
	t.Parallel()
	for serialization, name := range map[string]string{"zip": "one.zip", "tar": "one.tar", "tar.gz": "one.tgz"} {
		t.Run(serialization, func(t *testing.T) {
			t.Parallel()
			_, trial := bagRig(t)
			trial.Written = builtintest.NewWritten()
			trial.Args = map[string]any{"to": "bags/" + name, "serialization": serialization, "algorithms": []any{"sha512", "md5"}}
			bag := filepath.Join(trial.Base, "bags", name)
			for range 2 {
				builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
				r, err := bagit.Verify(t.Context(), bag, bagit.Options{})
				if err != nil || !r.Valid() || r.Files != 7 || r.Bytes != 15 {
					t.Fatalf("%v: %+v", err, r)
				}
			}
			if entries, err := os.ReadDir(filepath.Dir(bag)); err != nil || len(entries) != 1 {
				t.Errorf("beside the bag: %v, %v", entries, err)
			}
			testkit.Must(t, os.WriteFile(bag, []byte("mine"), 0o600))
			builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, "destination-exists: ")
			if content, err := os.ReadFile(bag); err != nil || string(content) != "mine" {
				t.Errorf("%q, %v", content, err)
			}
		})
	}
}

// Files that earlier final steps have written become tag files; no other files do.
func TestMetadataOfABag(t *testing.T) {
	t.Parallel()
	_, trial := bagRig(t)
	written := builtintest.NewWritten()
	trial.Written, trial.Args = written, map[string]any{"to": "bag", "metadata": []any{"out/premis.xml"}}
	premis := filepath.Join(trial.Base, "out", "premis.xml")
	refused := func(reason string) {
		t.Helper()
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeFailed, reason)
		if _, err := os.Lstat(filepath.Join(trial.Base, "bag")); err == nil {
			t.Error("there is a bag")
		}
	}
	refused("not-written: out/premis.xml does not exist: name a file that a final step before this one writes")
	if _, err := os.Lstat(filepath.Dir(premis)); err == nil {
		t.Error("a folder was made for a file that is only read")
	}
	testkit.Must(t, os.Mkdir(filepath.Dir(premis), 0o755))
	testkit.Must(t, os.WriteFile(premis, []byte("of somebody else"), 0o600))
	refused("not-written: out/premis.xml is not as a final step")
	testkit.Must(t, os.Remove(premis))

	writing := trial
	builtintest.WantStep(t, builtintest.TryFinalizer(t, func(_ context.Context, c *handlers.TransferJob) error {
		return c.Create("out/premis.xml", func(w io.Writer) error { _, err := io.WriteString(w, "<premis/>"); return err })
	}, writing), tasks.FinalizeDone, "")
	trial.Transfer.Finalizers = []tasks.FinalizeStep{{Number: 1, Name: "premis", State: tasks.FinalizeFailed}}
	refused("metadata: the final step premis has failed, so the bag's metadata may be old or missing")
	trial.Transfer.Finalizers[0].State = tasks.FinalizeDone
	for range 2 {
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, trial), tasks.FinalizeDone, "")
	}
	bag := filepath.Join(trial.Base, "bag")
	content, err := os.ReadFile(filepath.Join(bag, "metadata", "premis.xml"))
	tags, err2 := os.ReadFile(filepath.Join(bag, "tagmanifest-sha256.txt"))
	if err != nil || err2 != nil || string(content) != "<premis/>" || !strings.Contains(string(tags), "  metadata/premis.xml\n") {
		t.Errorf("%q %v, %q %v", content, err, tags, err2)
	}
	if r, err := bagit.Verify(t.Context(), bag, bagit.Options{}); err != nil || !r.Valid() {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestArgumentsOfSerializationAndMetadata(t *testing.T) {
	t.Parallel()
	for want, args := range map[string]map[string]any{
		`serialization: "rar" is unknown: one of zip, tar, tar.gz`:          {"to": "x.rar", "serialization": "rar"},
		`to is "bag", which must be a file name that ends in .zip`:          {"to": "bag", "serialization": "zip"},
		`must be a file name that ends in .tar.gz or .tgz`:                  {"to": "a/.tgz", "serialization": "tar.gz"},
		`metadata: "" is not the path of a file`:                            {"to": "x", "metadata": []any{""}},
		`metadata: "out/" is not the path of a file`:                        {"to": "x", "metadata": []any{"out/"}},
		`"a/x.xml" and "b/X.xml" have the same name, and would be one file`: {"to": "x", "metadata": []any{"a/x.xml", "b/X.xml"}},
	} {
		if _, err := newBagArgs(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
