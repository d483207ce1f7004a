package watch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
)

// waker says when to look at a folder again.
type waker struct {
	events  *fsnotify.Watcher // nil: it polls
	folders map[string]bool   // that the system notifies of
	wake    chan struct{}
	every   time.Duration // between two looks that nothing has asked for
	how     string        // for people
	log     *slog.Logger
}

// safetyLook is how often a folder is looked at though no notification has come: some are lost.
const safetyLook = time.Minute

func newWaker(ctx context.Context, s *Settings, log *slog.Logger) *waker {
	w := &waker{folders: make(map[string]bool), wake: make(chan struct{}, 1), log: log}
	switch {
	case s.Poll > 0:
		w.poll(s.Poll, "")
	case shared(s.Folder):
		w.poll(PollShares, ", because it is a network share")
	default:
		var err error
		if w.events, err = fsnotify.NewWatcher(); err != nil {
			w.fallBack(ctx, err)
			break
		}
		w.every, w.how = safetyLook, "by notifications of the system"
	}
	return w
}

func (w *waker) poll(every time.Duration, why string) {
	w.every, w.how = every, fmt.Sprintf("every %s%s", every, why)
}

// fallBack polls from now on.
func (w *waker) fallBack(ctx context.Context, err error) {
	w.log.WarnContext(ctx, "the system cannot notify of changes: the folder is looked at in intervals; raise the limit "+
		"fs.inotify.max_user_watches or max_user_instances, and start again", "interval", PollShares, "error", err)
	w.close()
	w.events = nil
	w.poll(PollShares, ", because the system cannot notify of more folders")
}

// add has the system notify of changes in a folder.
func (w *waker) add(ctx context.Context, folder string) {
	if w.events == nil || w.folders[folder] {
		return
	}
	if err := w.events.Add(folder); err != nil {
		if absent(err) != nil {
			w.fallBack(ctx, err)
		}
		return
	}
	w.folders[folder] = true
	w.ask() // what came before it was added
}

// ask has the folder looked at again soon.
func (w *waker) ask() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// changed is the channel of notifications; nil when there are none.
func (w *waker) changed() <-chan fsnotify.Event {
	if w.events == nil {
		return nil
	}
	return w.events.Events
}

func (w *waker) failures() <-chan error {
	if w.events == nil {
		return nil
	}
	return w.events.Errors
}

// forget drops a folder that was moved or deleted: the next look adds what is there now.
func (w *waker) forget(e *fsnotify.Event) {
	if (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) && w.folders[e.Name] {
		delete(w.folders, e.Name)
		_ = w.events.Remove(e.Name) // the system may have dropped it already
	}
}

func (w *waker) close() {
	if w.events != nil {
		_ = w.events.Close() // it holds no data
	}
}
