package watch

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// memory keeps one item, whose transfer has ended.
type memory struct {
	Store
	TransferMaker

	changed []Stage
	dropped int
}

func (m *memory) ChangeItem(_ context.Context, _ string, i *Item, _ Stage) (bool, error) {
	m.changed = append(m.changed, i.Stage)
	return true, nil
}

func (m *memory) DropItem(context.Context, string, *Item) error { m.dropped++; return nil }

func (m *memory) Outcome(context.Context, int64) (Ending, error) { return Ending{UUID: "u"}, nil }

func (m *memory) ByKey(context.Context, string) (int64, error) { return 0, nil }

// newTestLoop watches the folder in, and moves entries to the folder done.
func newTestLoop(t *testing.T, dir string, s *Settings) (*Loop, *memory, *strings.Builder) {
	t.Helper()
	s.Folder, s.Done = filepath.Join(dir, "in"), filepath.Join(dir, "done")
	testkit.Must(t, s.Check())
	m, log := &memory{}, &strings.Builder{}
	l := New(Options{
		Settings: *s, Store: m, Transfers: m, Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now,
	})
	l.look.note = func(string, string, error) {}
	return l, m, log
}

func TestWhatIsKnownStaysWhileTheFolderIsAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		leave func(in string) error
		drops int
	}{
		{"the folder is away", func(in string) error { return os.Rename(in, in+".away") }, 0},
		{"nothing is mounted on it", func(in string) error { return os.Remove(filepath.Join(in, "a")) }, 0},
		{"only the entry is gone", func(in string) error { return os.Rename(filepath.Join(in, "a"), filepath.Join(in, "b")) }, 1},
	} {
		for _, state := range []Stage{Submitting, Submitted, Moving} {
			t.Run(c.name+" "+string(state), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				testkit.WriteTree(t, dir, "in/a")
				l, m, _ := newTestLoop(t, dir, &Settings{})
				fingerprint, err := l.look.fingerprint(t.Context(), "a")
				testkit.Must(t, err)
				testkit.Must(t, c.leave(l.o.Folder))
				item := &Item{Path: "a", Print: fingerprint, Token: "1", Stage: state, Target: filepath.Join(l.o.Done, "a")}
				do := map[Stage]func(context.Context, *Item) error{Submitting: l.resume, Submitted: l.end, Moving: l.move}[state]
				testkit.Must(t, do(t.Context(), item))
				if m.dropped != c.drops || len(m.changed) > 0 {
					t.Errorf("dropped %d times, want %d; changed to %v", m.dropped, c.drops, m.changed)
				}
			})
		}
	}
}

func TestAMoveThatWasMadeEndsThoughTheFolderIsEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "in/a")
	l, m, _ := newTestLoop(t, dir, &Settings{})
	fingerprint, err := l.look.fingerprint(t.Context(), "a")
	testkit.Must(t, err)
	item := &Item{Path: "a", Print: fingerprint, Token: "1", Stage: Moving, Target: filepath.Join(l.o.Done, "a")}
	testkit.Must(t, os.Rename(filepath.Join(l.o.Folder, "a"), item.Target))
	testkit.Must(t, l.move(t.Context(), item))
	if m.dropped != 1 || l.status.Moved != 1 {
		t.Errorf("dropped %d times, moved %d", m.dropped, l.status.Moved)
	}
}

func TestWhatIsWrittenWhileItIsMovedIsPutBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string // of what is written to
		settings   Settings
	}{
		{"file", "a", Settings{}},
		{"file with a marker", "a", Settings{Marker: ".ready"}},
		{"folder", "a/deep/b", Settings{Each: EachFolder}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			testkit.WriteTree(t, dir, "in/"+c.path)
			l, _, log := newTestLoop(t, dir, &c.settings)
			if c.settings.Marker != "" {
				testkit.WriteTree(t, dir, "in/a"+c.settings.Marker)
			}
			fingerprint, err := l.look.fingerprint(t.Context(), "a")
			testkit.Must(t, err)
			from, item := filepath.Join(l.o.Folder, "a"), &Item{Path: "a", Print: fingerprint, Token: "1", Stage: Moving, Target: filepath.Join(l.o.Done, "a")}
			check := func(justMoved, want bool) {
				t.Helper()
				testkit.Must(t, l.moveTo(from, item.Target))
				back, err := l.putBack(t.Context(), item, justMoved)
				if _, there := os.Lstat(from); err != nil || back != want || (there == nil) != want {
					t.Errorf("put back: %v, %v, %v; want %v", back, err, there, want)
				}
			}
			check(true, false)
			testkit.Must(t, l.moveTo(item.Target, from))
			testkit.Must(t, os.WriteFile(filepath.Join(l.o.Folder, c.path), []byte("what came too late"), 0o600))
			check(true, true)
			if !strings.Contains(log.String(), "it is put back") {
				t.Errorf("the log says %s", log)
			}
			if c.settings.Marker != "" {
				if _, err := os.Lstat(from + c.settings.Marker); err != nil {
					t.Error("the marker is not put back:", err)
				}
			}
			check(false, false)
			if !strings.Contains(log.String(), "is not what was submitted") {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

func TestAMarkerStaysWithAnEntryThatCannotBeMoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "in/a", "in/a.ready", "done/a")
	l, _, _ := newTestLoop(t, dir, &Settings{Marker: ".ready"})
	from := filepath.Join(l.o.Folder, "a")
	if err := l.moveTo(from, filepath.Join(l.o.Done, "a")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("moved onto a file: %v", err)
	}
	if _, err := os.Lstat(from + ".ready"); err != nil {
		t.Error("the marker is lost:", err)
	}
}

// What has changed since it was submitted is not moved: no transfer has processed what it holds now.
// What was begun and never submitted is dropped then, and settles anew.
func TestWhatHasChangedSinceStays(t *testing.T) {
	t.Parallel()
	for _, stage := range []Stage{Submitting, Moving} {
		dir := t.TempDir()
		testkit.WriteTree(t, dir, "in/a")
		l, m, _ := newTestLoop(t, dir, &Settings{})
		fingerprint, err := l.look.fingerprint(t.Context(), "a")
		testkit.Must(t, err)
		path := filepath.Join(l.o.Folder, "a")
		testkit.Must(t, os.WriteFile(path, []byte("other content, of another size"), 0o600))
		item := &Item{Path: "a", Print: fingerprint, Token: "1", Stage: stage, Target: filepath.Join(l.o.Done, "a")}
		do := map[Stage]func(context.Context, *Item) error{Submitting: l.resume, Moving: l.move}[stage]
		testkit.Must(t, do(t.Context(), item))
		_, moved := os.Lstat(item.Target)
		if content, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(content), "other") || !errors.Is(moved, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v; moved: %v", stage, content, err, moved)
		}
		if m.dropped != 1 || len(m.changed) > 0 || l.status.Moved != 0 {
			t.Errorf("%s: dropped %d times, changed to %v, moved %d", stage, m.dropped, m.changed, l.status.Moved)
		}
	}
}
