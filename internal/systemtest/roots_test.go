package systemtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// On shared services, other people choose which files a worker reads.
func TestNoWorkerStartsOnSharedServicesWithoutRoots(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(t *testing.T, c *config.Config){
		"queue":    func(t *testing.T, c *config.Config) { c.Redis.URL = testkit.Redis(t) },
		"database": func(t *testing.T, c *config.Config) { c.Database.URL = testkit.MySQL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
			testkit.Must(t, err)
			set(t, &c)
			b := open(t, c, nil)
			_, runErr := b.Run(t.Context(), baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Recipe: builtinRecipe(t, "checksum")})
			for _, err := range []error{b.Work(t.Context()), runErr} {
				if !errors.Is(err, baler.ErrNoRoots) || !strings.Contains(err.Error(), "BALER_ROOTS") || !strings.Contains(err.Error(), name) {
					t.Errorf("it starts: %v", err)
				}
			}
			if all, err := b.Transfers(t.Context(), 0, 1); err != nil || len(all) > 0 {
				t.Errorf("it has made a transfer: %v, %v", all, err)
			}
		})
	}
}

// Files of a list, and files that somebody adds in the database, are read only below the
// roots.
func TestListsAndRowsAreReadWithinTheRoots(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		inside, outside := t.TempDir(), t.TempDir()
		testkit.WriteFile(t, filepath.Join(inside, "listed"), "inside")
		testkit.WriteFile(t, filepath.Join(outside, "secret"), "outside")
		list := func() baler.Submission {
			paths := filepath.Join(inside, "listed") + "\n" + filepath.Join(outside, "secret") + "\n"
			return baler.Submission{List: strings.NewReader(paths), Recipe: builtinRecipe(t, "checksum"), Via: tasks.ViaBulk}
		}
		embedded := len(c.Roots) == 0
		if embedded {
			if _, _, err := open(t, c, nil).Submit(t.Context(), list()); !errors.Is(err, baler.ErrNoRoots) {
				t.Errorf("a list whose files may be anywhere: %v", err)
			}
		}
		link := filepath.Join(t.TempDir(), "link") // registered paths have no links in them
		testkit.Must(t, os.Symlink(inside, link))
		c.Roots = []string{link}
		b := open(t, c, nil)
		tr := submit(t, b, list())
		execSQL(t, c.Database.URL, "UPDATE transfers SET sources = '/'") // as an intruder could
		work(t, b)
		tr = wait(t, b, tr.UUID)
		at := byPath(t, audit(t, b, tr))
		if l := at("checksum", "listed"); l.Outcome != tasks.OutcomeSucceeded {
			t.Errorf("the file within the roots ended as %s: %s", l.Outcome, l.Error)
		}
		if l := at("checksum", "secret"); l.Outcome != tasks.OutcomeFailed || l.Code != handlers.CodeOutsideRoots {
			t.Errorf("the file outside of them ended as %s %s: %s", l.Outcome, l.Code, l.Error)
		}
	})
}

// An embedded worker without roots reads no files of a list.
func TestEmbeddedWorkerWithoutRootsReadsNoList(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	root := testkit.NumberedTree(t, 1)
	c.Roots = []string{root}
	b := open(t, c, nil)
	tr := submit(t, b, baler.Submission{
		List: strings.NewReader(root + "\n"), Recipe: builtinRecipe(t, "checksum"), Via: tasks.ViaBulk,
	})
	testkit.Must(t, b.Close())
	c.Roots = nil
	b = open(t, c, nil)
	work(t, b)
	tr = wait(t, b, tr.UUID)
	for _, l := range audit(t, b, tr) {
		if l.Outcome != tasks.OutcomeFailed || l.Code != handlers.CodeOutsideRoots || !strings.Contains(l.Error, "BALER_ROOTS") {
			t.Errorf("%s ended as %s %s: %s", l.Path, l.Outcome, l.Code, l.Error)
		}
	}
}
