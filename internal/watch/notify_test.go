package watch

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// When the system notifies of no more folders, or is not asked to, the folder is looked at in
// intervals.
func TestAFolderIsLookedAtInIntervals(t *testing.T) {
	dir := t.TempDir()
	log := &strings.Builder{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	w := newWaker(t.Context(), &Settings{Folder: dir}, logger)
	if w.events == nil || w.every != safetyLook || w.how != "by notifications of the system" {
		t.Fatalf("it looks %s, every %s", w.how, w.every)
	}
	w.add(t.Context(), dir)
	if !w.folders[dir] || len(w.wake) != 1 {
		t.Errorf("notified of %v, asked %d times", w.folders, len(w.wake))
	}
	w.add(t.Context(), dir+"/gone") // it went away meanwhile
	if w.events == nil || log.Len() > 0 {
		t.Errorf("a folder that is gone ends notifications: %s", log)
	}
	testkit.Must(t, w.events.Close()) // like any limit of the system: no folder can be added
	w.add(t.Context(), t.TempDir())
	if w.events != nil || w.every != PollShares || w.how != "every 10s, because the system cannot notify of more folders" {
		t.Errorf("it looks %s, every %s", w.how, w.every)
	}
	if got := log.String(); !strings.Contains(got, "raise the limit fs.inotify.max_user_watches") || strings.Count(got, "\n") != 1 {
		t.Errorf("the log is %s", got)
	}
	w.add(t.Context(), dir) // now of no use
	if w.changed() != nil || w.failures() != nil {
		t.Error("it waits for notifications that cannot come")
	}
	w.close()

	w = newWaker(t.Context(), &Settings{Folder: dir, Poll: 3 * time.Second}, logger) // as on a network share
	defer w.close()
	if w.events != nil || w.every != 3*time.Second || w.how != "every 3s" {
		t.Errorf("it looks %s, every %s", w.how, w.every)
	}
}
