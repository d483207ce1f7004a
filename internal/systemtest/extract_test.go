package systemtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// zipped makes a zip file of members, given as name, content, name, content …
func zipped(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		to, err := w.Create(members[i])
		testkit.Must(t, err)
		_, err = to.Write([]byte(members[i+1]))
		testkit.Must(t, err)
	}
	testkit.Must(t, w.Close())
	return b.String()
}

const extracting = "name: x\nsteps:\n  - handler: checksum\n  - {handler: extract, with: {to: '%s/members', replace: true}%s}\n  - {name: last, handler: noop}\n"

// checkExtracted checks that every file of a transfer has results of the right steps, and
// returns the paths of the extracted files.
func checkExtracted(t *testing.T, b *baler.Baler, tr tasks.Transfer, members string, steps ...string) {
	t.Helper()
	got := map[string][]string{}
	var paths []string
	for line, err := range b.Results(t.Context(), tr, baler.ResultFilter{}) {
		testkit.Must(t, err)
		if line.Parent == 0 {
			continue
		}
		if got[line.Path] == nil {
			paths = append(paths, filepath.Base(line.Path))
		}
		got[line.Path] = append(got[line.Path], line.Step)
		if line.Member == "" || line.Outcome != tasks.OutcomeSucceeded && line.Step != "extract" {
			t.Errorf("%+v", line)
		}
	}
	slices.Sort(paths)
	if strings.Join(paths, " ") != members || tr.Emitted != int64(len(paths)) {
		t.Errorf("extracted %v, counted %d; want %s", paths, tr.Emitted, members)
	}
	for path, at := range got {
		if !slices.Equal(at, steps) {
			t.Errorf("%s has results of %v, want %v", path, at, steps)
		}
	}
}

// Members of archives, also of archives in archives, become files of the transfer, by group
// and by bulk. The transfer ends when the last of them has ended.
func TestExtractedFilesAreFiles(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, c config.Config, via tasks.Via) {
		for emitFrom, steps := range map[string][]string{
			"": {"checksum", "extract", "last"}, ", emit_from: next": {"last"}, ", emit_from: extract": {"extract", "last"},
		} {
			t.Run(emitFrom, func(t *testing.T) {
				root, out := t.TempDir(), t.TempDir()
				for i := range 20 {
					testkit.WriteFile(t, filepath.Join(root, strconv.Itoa(i)), strconv.Itoa(i))
				}
				testkit.WriteFile(t, filepath.Join(root, "a.zip"), zipped(t, "m1", "one", "m2", "two"))
				testkit.WriteFile(t, filepath.Join(root, "b.zip"), zipped(t, "inner.zip", zipped(t, "m3", "three")))
				c := c
				c.Outputs = []string{out}
				b := open(t, c, nil)
				work(t, b)
				tr := wait(t, b, submit(t, b, baler.Submission{
					Paths: []string{root}, Via: via, Recipe: yaml(t, fmt.Sprintf(extracting, out, emitFrom)),
				}).UUID)
				if emitFrom == ", emit_from: next" {
					checkExtracted(t, b, tr, "inner.zip m1 m2", steps...)
				} else {
					checkExtracted(t, b, tr, "inner.zip m1 m2 m3", steps...)
				}
				audit(t, b, tr)
			})
		}
	})
}

// The bag and manifest of later runs have the members that the archives have now.
func TestCollectionWithArchives(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := filepath.Join(t.TempDir(), "in"), t.TempDir()
		testkit.WriteFile(t, filepath.Join(root, "a.zip"), zipped(t, "m1", "one", "sub/m2", "two"))
		testkit.WriteFile(t, filepath.Join(root, "b.zip"), zipped(t, "m3", "three"))
		testkit.WriteFile(t, filepath.Join(root, "c"), "c")
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(
			extracting+"finally:\n  - {handler: bag, with: {to: '%s/bag'}}\n  - {handler: manifest, with: {to: '%s/sums'}}\n", out, "", out, out))}
		bagHas := func(want string) baler.RunResult {
			t.Helper()
			ran := run(t, b, s)
			var names []string
			data := filepath.Join(out, "bag", "data", "in")
			testkit.Must(t, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					names = append(names, strings.TrimPrefix(path, data+"/"))
				}
				return err
			}))
			if got := strings.Join(names, " "); got != want {
				t.Errorf("the bag holds %s\nwant %s", got, want)
			}
			sums, err := os.ReadFile(filepath.Join(out, "sums"))
			testkit.Must(t, err)
			if n := strings.Count(string(sums), "\n"); n != len(names) {
				t.Errorf("the manifest has %d lines for %d files:\n%s", n, len(names), sums)
			}
			return ran
		}
		ran := bagHas("a.zip a.zip.contents/m1 a.zip.contents/sub/m2 b.zip b.zip.contents/m3 c")
		checkExtracted(t, b, ran.Transfer, "m1 m2 m3", "checksum", "extract", "last")
		if ran := run(t, b, s); ran.FoundChanges {
			t.Errorf("without changes it did %+v", ran.Changes)
		}
		testkit.WriteFile(t, filepath.Join(root, "a.zip"), zipped(t, "m1", "other", "m4", "four"))
		ran = bagHas("a.zip a.zip.contents/m1 a.zip.contents/m4 b.zip b.zip.contents/m3 c")
		checkExtracted(t, b, ran.Transfer, "m1 m4", "checksum", "extract", "last")
		testkit.Must(t, os.Remove(filepath.Join(root, "b.zip")))
		testkit.WriteFile(t, filepath.Join(root, "d"), "d")
		ran = bagHas("a.zip a.zip.contents/m1 a.zip.contents/m4 c d")
		if ran.Changes.Gone != 1 {
			t.Errorf("%+v; members of archives must not count", ran.Changes)
		}
	})
}
