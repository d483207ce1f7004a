package systemtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// folder makes a folder of files whose content is their name.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		testkit.WriteFile(t, filepath.Join(root, name), name)
	}
	return root
}

func touch(t *testing.T, path string) {
	t.Helper()
	testkit.Must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
}

// names returns the names of files, in their order.
func names(files []tasks.File) string {
	var all []string
	for i := range files {
		all = append(all, filepath.Base(files[i].Path))
	}
	return strings.Join(all, " ")
}

// fixityRuns returns a function that does a run and checks what it finds.
func fixityRuns(t *testing.T, b *baler.Baler, s *baler.Submission) func(want baler.FixityCounts, damaged, missing, moved string) {
	return func(want baler.FixityCounts, damaged, missing, moved string) {
		t.Helper()
		ran := run(t, b, *s)
		if ran.Fixity == nil {
			t.Fatalf("it compared nothing: %+v", ran)
		}
		var pairs []string
		for _, m := range ran.Fixity.MovedFiles {
			pairs = append(pairs, filepath.Base(m.From.Path)+">"+filepath.Base(m.To.Path))
		}
		if got := ran.Fixity; got.FixityCounts != want || names(ran.Damaged) != damaged ||
			names(got.MissingFiles) != missing || strings.Join(pairs, " ") != moved {
			t.Errorf("found %+v, damaged %q, missing %q, moved %q; want %+v, %q, %q, %q",
				got.FixityCounts, names(ran.Damaged), names(got.MissingFiles), pairs, want, damaged, missing, moved)
		}
	}
}

// A fixity run compares with what transfers of other recipes have recorded, and reports
// damage in every later run until it is repaired or accepted.
func TestFixity(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := folder(t, "flipped", "touched", "old", "gone", "same", "swapped", "twin-a")
		testkit.WriteFile(t, filepath.Join(root, "twin-b"), "twin-a")
		at := func(name string) string { return filepath.Join(root, name) }
		b := open(t, c, nil)
		run(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "default")})

		s := baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "fixity")}
		next := fixityRuns(t, b, &s)
		rot(t, at("flipped"), "Flipped")
		rot(t, at("swapped"), "another")
		touch(t, at("touched"))
		testkit.Must(t, os.Rename(at("old"), at("renamed")))
		testkit.Must(t, os.Rename(at("twin-b"), at("twin-c")))
		testkit.Must(t, os.Remove(at("gone")))
		testkit.WriteFile(t, at("added"), "added")
		next(baler.FixityCounts{New: 1, Changed: 1, Damaged: 2, Missing: 1, Moved: 2, Unchanged: 2}, "flipped swapped", "gone", "old>renamed twin-b>twin-c")

		next(baler.FixityCounts{Damaged: 2, Missing: 1, Unchanged: 6}, "flipped swapped", "gone", "")
		run(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "checksum")}) // its new digests do not hide the damage
		rot(t, at("flipped"), "flipped")
		testkit.Must(t, os.Rename(at("renamed"), at("old")))
		next(baler.FixityCounts{Damaged: 1, Missing: 1, Moved: 1, Unchanged: 6}, "swapped", "gone", "renamed>old")

		s.AcceptFailures, s.AcceptMissing = true, true
		next(baler.FixityCounts{Changed: 1, Unchanged: 7}, "", "", "")
		s.AcceptFailures, s.AcceptMissing = false, false
		testkit.WriteFile(t, at("gone"), "gone")
		next(baler.FixityCounts{New: 1, Unchanged: 8}, "", "", "")
		rot(t, at("swapped"), "swapped")
		next(baler.FixityCounts{Damaged: 1, Unchanged: 8}, "swapped", "", "")
	})
}

// Earlier transfers may be of run or submit, with other digests or none, one after another.
// A file is compared with the first digest that was recorded for its newest size and time.
func TestFixityComparesWithAnyTransfer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := folder(t, "a", "b", "c", "d")
		at := func(name string) string { return filepath.Join(root, name) }
		b := open(t, c, nil)
		submit := func(recipe string) {
			t.Helper()
			stop := work(t, b)
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{root}, Recipe: yaml(t, recipe)})
			testkit.Must(t, err)
			wait(t, b, tr.UUID)
			stop()
		}
		submit("name: x\nsteps: [{handler: identify}]")
		submit("name: x\nsteps: [{handler: checksum, with: {algorithms: [sha256, md5]}}]")
		rot(t, at("a"), "A")
		testkit.WriteFile(t, at("b"), "changed")
		touch(t, at("b"))
		submit("name: x\nsteps: [{handler: checksum, with: {algorithms: [sha256]}}]")
		testkit.Must(t, os.Remove(at("d")))
		s := baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "fixity")}
		next := fixityRuns(t, b, &s)
		next(baler.FixityCounts{Damaged: 1, Missing: 1, Unchanged: 2}, "a", "d", "")

		s.Recipe = yaml(t, "name: x\nfixity: true\nsteps: [{handler: checksum, with: {algorithms: [sha512]}}]")
		next = fixityRuns(t, b, &s)
		next(baler.FixityCounts{Missing: 1, Unchanged: 3, Uncompared: 3}, "", "d", "")
		next(baler.FixityCounts{Missing: 1, Unchanged: 3}, "", "d", "")

		if _, _, err := b.Submit(t.Context(), s); !errors.Is(err, baler.ErrFixitySubmit) {
			t.Errorf("submitted: %v", err)
		}
	})
}

// A source that is not there is an error, also in the first fixity run. A file that cannot
// be read counts neither as missing nor as forgotten.
func TestFixityOfUnreadableFiles(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := folder(t, "a", "b")
		b := open(t, c, nil)
		run(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "checksum")})
		away := root + "-away"
		testkit.Must(t, os.Rename(root, away))
		testkit.Must(t, os.Mkdir(root, 0o700))
		s := baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "fixity")}
		if _, err := b.Run(t.Context(), s); !errors.Is(err, baler.ErrSourceEmpty) {
			t.Errorf("of an empty source: %v", err)
		}
		testkit.Must(t, os.Remove(root))
		testkit.Must(t, os.Rename(away, root))
		next := fixityRuns(t, b, &s)
		next(baler.FixityCounts{Unchanged: 2}, "", "", "")
		if os.Geteuid() == 0 {
			return // root reads everything
		}
		testkit.Must(t, os.Chmod(filepath.Join(root, "a"), 0))
		next(baler.FixityCounts{Unread: 1, Unchanged: 1}, "", "", "")
		testkit.Must(t, os.Chmod(filepath.Join(root, "a"), 0o600))
		rot(t, filepath.Join(root, "a"), "A")
		next(baler.FixityCounts{Damaged: 1, Unchanged: 1}, "a", "", "")
		testkit.Must(t, os.Chmod(root, 0))
		if _, err := b.Run(t.Context(), s); !errors.Is(err, baler.ErrSourceEmpty) {
			t.Errorf("of a source that cannot be read: %v", err)
		}
		testkit.Must(t, os.Chmod(root, 0o700))
		next(baler.FixityCounts{Damaged: 1, Unchanged: 1}, "a", "", "")
	})
}

// Webhooks get the counts of damaged files, after the event of the transfer's end.
func TestFixitySendsAWebhook(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		address, messages := listener(t, http.StatusOK)
		c.Webhook = config.WebhookSettings{URLs: []string{address}, Secret: webhookSecret, Networks: []string{"127.0.0.1"}}
		root := folder(t, "a", "b", "c")
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "fixity")}
		run(t, b, s)
		receive(t, messages)
		rot(t, filepath.Join(root, "a"), "A")
		testkit.Must(t, os.Remove(filepath.Join(root, "b")))
		ran := run(t, b, s)
		types := map[string]message{}
		for range 2 {
			m := receive(t, messages)
			types[m.Type] = m
		}
		m := types["fixity.failed"]
		want := baler.FixityCounts{Damaged: 1, Missing: 1, Unchanged: 1}
		if m.Transfer.Transfer != ran.Transfer.UUID || m.Fixity != want || types["transfer.completed"].Event == "" || len(messages) > 0 {
			t.Errorf("received %+v, and %d more", types, len(messages))
		}
	})
}

// A retry in the same transfer records another digest in place of the first. A later reread
// still compares with the first one.
func TestRunReadsAgainWhatWasRetried(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := t.TempDir()
		rotten, repaired := filepath.Join(root, "rotten"), filepath.Join(root, "repaired")
		for _, path := range []string{rotten, repaired, filepath.Join(root, "same")} {
			testkit.WriteFile(t, path, "as it was")
		}
		var broken atomic.Bool
		broken.Store(true)
		reg := builtin.Registry()
		testkit.Must(t, reg.Register("strict", handlers.PerFile(func(_ context.Context, j *handlers.Job) error {
			content, err := os.ReadFile(j.File().Path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			j.SetFact("sha256", hex.EncodeToString(sum[:]))
			if broken.Load() && j.File().Path == repaired {
				return handlers.Fail("bad", errors.New("not as it should be"))
			}
			return nil
		})))
		b := open(t, c, reg)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, "name: x\nsteps: [{handler: strict}]")}
		first := run(t, b, s).Transfer
		broken.Store(false)
		rot(t, rotten, "As it was")
		rot(t, repaired, "as it is!")
		if n, err := b.Retry(t.Context(), first, baler.ResultFilter{Outcomes: tasks.Outcomes()}); err != nil || n != 3 {
			t.Fatalf("retried %d, %v", n, err)
		}
		run(t, b, s)
		s.Reread = true
		for range 2 { // it is reported until it is repaired
			if ran := run(t, b, s); names(ran.Damaged) != "rotten" {
				t.Errorf("damaged are %s", names(ran.Damaged))
			}
		}
		rot(t, rotten, "as it was")
		if ran := run(t, b, s); ran.DamagedFiles != 0 {
			t.Errorf("damaged are %s", names(ran.Damaged))
		}
	})
}
