package store

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A file that a later transfer has not registered is missing, unless it is not known because its
// folder could not be read; it is missing once, and until a person accepts it.
func TestMarkMissing(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		first := b.ended(t, "kept", 3, tasks.OutcomeSucceeded)
		later := b.transfer(t, 1)
		files, err := b.Files(ctx, first.ID, tasks.Ranges{{First: 1, Last: 3}})
		testkit.Must(t, err)
		check := func(when string, want int64) {
			t.Helper()
			if n, err := b.CountMissing(ctx, "kept"); err != nil || n != want {
				t.Errorf("%s: %d files are missing, %v; want %d", when, n, err, want)
			}
		}
		hidden := func(path string) bool { return path == files[1].Path }
		testkit.Must(t, b.MarkMissing(ctx, "kept", first.ID, hidden))
		check("the transfer has registered them itself", 0)
		testkit.Must(t, b.MarkMissing(ctx, "another", later.ID, hidden))
		check("of another collection", 0)
		for range 2 {
			testkit.Must(t, b.MarkMissing(ctx, "kept", later.ID, hidden))
			check("one folder could not be read", 2)
		}
		testkit.Must(t, b.AcceptMissing(ctx, "kept"))
		check("accepted", 0)
		testkit.Must(t, b.MarkMissing(ctx, "kept", later.ID, func(string) bool { return false }))
		check("the folder can be read", 1)
	})
}
