package systemtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// difference checks what differs between two transfers. Each difference has a kind, a path
// and details.
func difference(t *testing.T, b *baler.Baler, from, to tasks.Transfer, want string, counts baler.FixityCounts) {
	t.Helper()
	var lines []string
	got, err := b.Diff(t.Context(), from, to, func(d baler.Difference) error {
		line := string(d.Kind) + " " + d.Path
		if d.Kind == baler.DifferenceMoved {
			line += ">" + d.To
		}
		if d.Kind == baler.DifferenceChanged {
			line += " " + d.Content.String()
		}
		lines = append(lines, line)
		return nil
	})
	testkit.Must(t, err)
	if text := strings.Join(lines, ", "); text != want || got != counts {
		t.Errorf("found %s, %+v; want %s, %+v", text, got, want, counts)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := folder(t, "a", "b-", "b.", "c", "d", "twin-1", "z")
		testkit.Must(t, os.Mkdir(filepath.Join(root, "b"), 0o700))
		at := func(name string) string { return filepath.Join(root, name) }
		testkit.WriteFile(t, at("b/x"), "x") // after b- and b. as paths are sorted, before them as folders are walked
		testkit.WriteFile(t, at("twin-2"), "twin-1")
		b := open(t, c, nil)
		work(t, b)
		submit := func(recipe string, paths ...string) tasks.Transfer {
			t.Helper()
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: paths, Recipe: yaml(t, recipe)})
			testkit.Must(t, err)
			return wait(t, b, tr.UUID)
		}
		const sums = "name: x\nsteps: [{handler: checksum}]"
		first := submit(sums, root)
		difference(t, b, first, submit(sums, root), "", baler.FixityCounts{Unchanged: 9})

		rot(t, at("a"), "A")
		touch(t, at("c"))
		testkit.WriteFile(t, at("d"), "longer than it was")
		testkit.Must(t, os.Rename(at("b/x"), at("b/y")))
		testkit.Must(t, os.Rename(at("twin-2"), at("twin-3")))
		testkit.Must(t, os.Remove(at("z")))
		testkit.WriteFile(t, at("b/new"), "new")
		second := submit(sums, root)
		difference(t, b, first, second, "damaged a, changed c same, changed d different, moved b/x>b/y, moved twin-2>twin-3, missing z, new b/new",
			baler.FixityCounts{New: 1, Changed: 2, Damaged: 1, Missing: 1, Moved: 2, Unchanged: 3})

		// Compare without digests, and with the digests of a copy in another folder.
		plain := submit("name: x\nsteps: [{handler: identify}]", root)
		difference(t, b, second, plain, "", baler.FixityCounts{Unchanged: 9, Uncompared: 9})
		moved := filepath.Join(t.TempDir(), "elsewhere")
		testkit.Must(t, os.Rename(root, moved))
		other := folder(t, "o")
		both := submit(sums, other, moved)
		difference(t, b, submit(sums, other, moved), both, "", baler.FixityCounts{Unchanged: 10})
		difference(t, b, second, submit(sums, moved), "", baler.FixityCounts{Unchanged: 9})

		if _, err := b.Diff(t.Context(), first, tasks.Transfer{State: tasks.StateRunning}, nil); !errors.Is(err, baler.ErrDiffRunning) {
			t.Errorf("a transfer that still runs: %v", err)
		}
		chunks := submit("name: x\nsplit: {lines: 1MiB}\nsteps: [{handler: noop}]", moved)
		if _, err := b.Diff(t.Context(), first, chunks, nil); !errors.Is(err, baler.ErrDiffChunks) {
			t.Errorf("chunks: %v", err)
		}
	})
}
