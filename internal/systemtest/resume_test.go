package systemtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func TestInterruptedSubmissionIsResumedWithoutDuplicates(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 9000
		root := testkit.NumberedTree(t, files)
		clock := testkit.NewClock()
		b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry(), Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		testkit.CloseAtEnd(t, b)
		ctx, cancel := context.WithCancel(t.Context())
		// A link in the middle of the tree is the signal to interrupt the scan.
		if err := os.Symlink("nowhere", filepath.Join(root, "d060", "link")); err != nil {
			t.Fatal(err)
		}
		tr, _, err := b.Submit(ctx, baler.Submission{
			Paths: []string{root}, Via: tasks.ViaBulk, Recipe: builtinRecipe(t, "noop"), OnSkipped: func(scan.SkippedEntry) { cancel() },
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("submit: %v, want that it was canceled", err)
		}
		if tr.State != tasks.StateOpen || tr.Files >= files {
			t.Fatalf("interrupted, the transfer is %s with %d files", tr.State, tr.Files)
		}
		if _, err := b.ResumeSubmit(t.Context(), tr, nil); !errors.Is(err, baler.ErrProducerAlive) {
			t.Errorf("resumed at once: %v", err)
		}
		clock.Advance(time.Minute)
		if tr, err = b.ResumeSubmit(t.Context(), tr, nil); err != nil {
			t.Fatal(err)
		}
		if tr.Files != files || tr.State != tasks.StateRunning {
			t.Errorf("resumed, the transfer is %s with %d files, want %d", tr.State, tr.Files, files)
		}
		if _, err := b.ResumeSubmit(t.Context(), tr, nil); !errors.Is(err, baler.ErrAlreadySealed) {
			t.Errorf("resumed twice: %v", err)
		}
		work(t, b)
		seenPaths := make(map[string]bool)
		for _, l := range audit(t, b, wait(t, b, tr.UUID)) {
			if seenPaths[l.Path] {
				t.Errorf("%s was registered twice", l.Path)
			}
			seenPaths[l.Path] = true
		}
		if len(seenPaths) != files {
			t.Errorf("%d paths have results", len(seenPaths))
		}
	})
}

func TestInterruptedSubmissionOfASplitFileIsResumedBetweenChunks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := t.TempDir()
		content := bytes.Repeat([]byte("0123456789abcdef\n"), 750_000) // 3,112 chunks
		if err := os.WriteFile(filepath.Join(root, "a.lines"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("nowhere", filepath.Join(root, "b")); err != nil { // its notice means that all chunks were emitted
			t.Fatal(err)
		}
		r, err := recipe.Parse("chunks", []byte("name: chunks\nsplit: {lines: 4KiB}\nsteps: [{handler: noop}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		clock := testkit.NewClock()
		b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry(), Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		testkit.CloseAtEnd(t, b)
		ctx, cancel := context.WithCancel(t.Context())
		tr, _, err := b.Submit(ctx, baler.Submission{Paths: []string{root}, Recipe: r, OnSkipped: func(scan.SkippedEntry) { cancel() }})
		if !errors.Is(err, context.Canceled) || tr.Bytes >= int64(len(content)) {
			t.Fatalf("interrupted with %d of %d bytes: %v", tr.Bytes, len(content), err)
		}
		clock.Advance(time.Minute)
		if tr, err = b.ResumeSubmit(t.Context(), tr, nil); err != nil {
			t.Fatal(err)
		}
		const chunk = 4097 // 241 lines
		if want := int64((len(content) + chunk - 1) / chunk); tr.Bytes != int64(len(content)) || tr.Files != want {
			t.Errorf("resumed: %d chunks with %d bytes, want %d with %d", tr.Files, tr.Bytes, want, len(content))
		}
	})
}
