package ingest

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// A producer of a list dies within a folder of it. The same list goes on behind the last
// file; another one is refused, and adds nothing.
func TestListGoesOnWhereItWasBrokenOff(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url, store.Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, s)
		_, err = s.Migrate(t.Context())
		testkit.Must(t, err)
		g := New(Options{
			Store: s, Log: slog.New(slog.DiscardHandler),
			Transfers: dispatch.NewTransferCache(s.TransferByID, func(*recipe.Step) tasks.BatchPolicy { return tasks.BatchPolicy{} }),
		})
		root := t.TempDir()
		testkit.WriteTree(t, root, "a", "D/1", "D/2", "D/3", "e", "x")
		testkit.Must(t, os.Symlink("a", filepath.Join(root, "link")))
		list := func(paths ...string) string {
			var text strings.Builder
			for _, p := range paths {
				text.WriteString(filepath.Join(root, p) + "\n")
			}
			return text.String()
		}
		r, err := recipe.Parse("x", []byte("name: x\nsteps:\n  - handler: noop\n"))
		testkit.Must(t, err)
		noOutputs := func(*recipe.Recipe, string, []string) (map[string]bool, error) { return map[string]bool{}, nil }
		submission := func(list io.Reader) *TransferRequest {
			return &TransferRequest{Recipe: r, List: list, IdempotencyKey: "k", Via: tasks.ViaBulk}
		}

		broken := submission(io.MultiReader(strings.NewReader(list("a", "link", "D")), iotest.ErrReader(errors.New("the pipe broke"))))
		tr, created, err := g.Create(t.Context(), broken, nil, "")
		if err != nil || !created {
			t.Fatal(created, err)
		}
		_, err = g.RegisterList(t.Context(), tr, broken, noOutputs)
		if err == nil || !strings.Contains(err.Error(), "the pipe broke") {
			t.Fatal(err)
		}
		db := testkit.Database(t, url) // one that died within D
		for _, statement := range []string{"DELETE FROM files WHERE no > 3", "UPDATE transfers SET files = 3, bytes = 3"} {
			_, err := db.ExecContext(t.Context(), statement)
			testkit.Must(t, err)
		}
		files := func() (paths []string) {
			for f, err := range s.FilesByPath(t.Context(), tr.ID, "") {
				testkit.Must(t, err)
				rel, err := filepath.Rel(root, f.Path)
				testkit.Must(t, err)
				paths = append(paths, rel)
			}
			return paths
		}

		for _, c := range []struct{ paths, want string }{
			{"link a D e", "other paths at the beginning of its list, among the first 2"},
			{"a link e D", `D/2", not "`},
			{"a link", "more than the 2 paths of this list"},
			{"", "more than the 0 paths of this list"},
		} {
			now, err := g.RegisterRestOfList(t.Context(), tr, submission(strings.NewReader(list(strings.Fields(c.paths)...))), noOutputs)
			if !errors.Is(err, ErrKeyReused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %s", c.paths, err, c.want)
			}
			if got := files(); now.State != tasks.StateOpen || !slices.Equal(got, []string{"D/1", "D/2", "a"}) {
				t.Errorf("%q leaves %s, %v", c.paths, now.State, got)
			}
		}
		// What is listed twice is two files; what is below a folder of the list is not again one.
		all := list("a", "link", "D", "D/1", "e", "a")
		now, err := g.RegisterRestOfList(t.Context(), tr, submission(strings.NewReader(all)), noOutputs)
		testkit.Must(t, err)
		if got := files(); now.State == tasks.StateOpen || !slices.Equal(got, []string{"D/1", "D/2", "D/3", "a", "a", "e"}) {
			t.Errorf("in the end %s, %v", now.State, got)
		}

		if err := g.CheckList(t.Context(), &now, submission(strings.NewReader(all))); err != nil {
			t.Error(err)
		}
		for _, c := range []struct{ paths, want string }{
			{"a link D D/1 e a x", `a list of 6 paths, not of 7, and no file "` + filepath.Join(root, "x")},
			{"a link D D/1 e x", `other paths in its list of 6`},
			{"a link D D/1 e", `a list of 6 paths, not of 5; `},
		} {
			err := g.CheckList(t.Context(), &now, submission(strings.NewReader(list(strings.Fields(c.paths)...))))
			if !errors.Is(err, ErrKeyReused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %s", c.paths, err, c.want)
			}
		}
	})
}
