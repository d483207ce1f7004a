package watch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// lasting takes no error for one that goes away by itself.
type lasting struct{ TransferMaker }

func (lasting) Temporary(error) bool { return false }

// An entry stays where it is while the disk is full, and is moved when there is room.
func TestAFullDiskKeepsAnEntry(t *testing.T) {
	dir, resize := testkit.SmallDisk(t, "size=1m,nr_inodes=5")
	in, done := filepath.Join(dir, "in"), filepath.Join(dir, "done")
	for _, folder := range []string{in, done, filepath.Join(in, "box")} {
		testkit.Must(t, os.Mkdir(folder, 0o700))
	}
	entry, target := filepath.Join(in, "box", "a.txt"), filepath.Join(done, "box", "a.txt")
	l, m, _ := newTestLoop(t, dir, &Settings{})
	l.o.Transfers = lasting{m}
	testkit.Must(t, os.WriteFile(entry, nil, 0o600)) // the fifth of five: the folder done/box does not fit
	fingerprint, err := l.look.fingerprint(t.Context(), "box/a.txt")
	testkit.Must(t, err)
	item := &Item{Path: "box/a.txt", Print: fingerprint, Stage: Moving, Target: target, Token: "t"}
	testkit.Must(t, l.move(t.Context(), item))
	if _, err := os.Stat(entry); err != nil || m.dropped > 0 || !strings.Contains(l.status.Problem, "no space left on device") || l.pause["t"].IsZero() {
		t.Fatalf("%v, dropped %d times, the problem is %q", err, m.dropped, l.status.Problem)
	}
	resize("size=1m,nr_inodes=20")
	testkit.Must(t, l.move(t.Context(), item))
	if _, err := os.Stat(target); err != nil || m.dropped != 1 {
		t.Errorf("%v, dropped %d times", err, m.dropped)
	}
}
