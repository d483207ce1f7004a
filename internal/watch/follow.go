package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
)

// itemsAtOnce is how many items are read at once.
const itemsAtOnce = 200

// follow goes on with items that a process has left, and moves those whose transfers have
// ended.
func (l *Loop) follow(ctx, working context.Context) error {
	for _, stage := range []struct {
		state Stage
		do    func(context.Context, *Item) error
	}{{Submitting, l.resume}, {Moving, l.move}, {Submitted, l.end}} {
		err := l.due(ctx, working, stage.state, func(item *Item) error {
			if time.Now().Before(l.pause[item.Token]) {
				return nil
			}
			return stage.do(working, item)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forget drops what is known of entries that are not there any more, nor their transfers.
func (l *Loop) forget(ctx, working context.Context) error {
	return l.due(ctx, working, Ended, func(item *Item) error {
		if _, err := os.Lstat(filepath.Join(l.o.Folder, item.Path)); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return l.o.Store.DropItem(working, l.o.Name, item)
	})
}

// due calls do with each item of a state, until ctx ends.
func (l *Loop) due(ctx, working context.Context, state Stage, do func(*Item) error) error {
	for after := ""; ; {
		items, err := l.o.Store.DueItems(working, l.o.Name, state, after, itemsAtOnce)
		if err != nil {
			return err
		}
		for i := range items {
			if ctx.Err() != nil {
				return nil
			}
			if err := do(&items[i]); err != nil {
				return err
			}
		}
		if len(items) < itemsAtOnce {
			return nil
		}
		after = items[len(items)-1].Path
	}
}

// end decides where an entry goes whose transfer has ended.
func (l *Loop) end(ctx context.Context, item *Item) error {
	path := filepath.Join(l.o.Folder, item.Path)
	outcome, err := l.o.Transfers.Outcome(ctx, item.Transfer)
	if err != nil {
		return err
	}
	to := *item
	to.Stage = Ended
	target := l.o.target(outcome.Bad)
	if outcome.Deleted {
		l.o.Log.WarnContext(ctx, "a transfer was deleted before its entry was moved: the entry stays", "path", path)
		target = ""
	} else if outcome.Bad {
		l.o.Log.WarnContext(ctx, "the transfer of an entry has ended with failures", "path", path, "transfer", outcome.UUID)
	}
	if target == "" {
		_, err := l.o.Store.ChangeItem(ctx, l.o.Name, &to, Submitted)
		return err
	}
	now, err := l.look.print(ctx, item.Path)
	switch {
	case err != nil:
		return l.putOff(ctx, item, "cannot be read", err)
	case now == "":
		l.o.Log.WarnContext(ctx, "an entry is not there any more: somebody has moved or deleted it before it was moved", "path", path, "transfer", outcome.UUID)
		return l.o.Store.DropItem(ctx, l.o.Name, item)
	case now != item.Print: // it is submitted again
		_, err := l.o.Store.ChangeItem(ctx, l.o.Name, &to, Submitted)
		return err
	}
	to.Stage = Moving
	if to.Target, err = l.freeName(filepath.Join(target, item.Path)); err != nil {
		return l.putOff(ctx, item, "cannot be moved", err)
	}
	changed, err := l.o.Store.ChangeItem(ctx, l.o.Name, &to, Submitted)
	if err != nil || !changed {
		return err
	}
	return l.move(ctx, &to)
}

// move moves an entry to its target, or notes that it was moved.
func (l *Loop) move(ctx context.Context, item *Item) error {
	failpoint.Point(failpoint.WatchMoving)
	path := filepath.Join(l.o.Folder, item.Path)
	now, err := l.look.print(ctx, item.Path)
	if err != nil {
		return l.putOff(ctx, item, "cannot be read", err)
	}
	if now == item.Print {
		err = l.moveTo(path, item.Target)
		if errors.Is(err, fs.ErrExist) { // somebody was faster: another name is free
			return l.retarget(ctx, item)
		}
		if err != nil {
			return l.putOff(ctx, item, "cannot be moved", err)
		}
		failpoint.Point(failpoint.WatchMoved)
	} else if _, err := os.Lstat(item.Target); err != nil {
		l.o.Log.WarnContext(ctx, "an entry was not moved: it is not there any more, or has changed", "path", path, "error", err)
		l.tried(item)
		return l.o.Store.DropItem(ctx, l.o.Name, item)
	}
	if err := l.o.Store.DropItem(ctx, l.o.Name, item); err != nil {
		return err
	}
	l.tried(item)
	l.did(path)
	l.status.Moved++
	l.o.Metrics.moved()
	l.o.Log.InfoContext(ctx, "an entry is moved", "path", path, "to", item.Target)
	return nil
}

// moveTo moves the marker first: one that stayed would say that the next file of this name is
// complete.
func (l *Loop) moveTo(path, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil { //nolint:gosec // as mkdir does; the umask decides
		return err
	}
	if l.o.Marker != "" && l.o.Each == EachFile {
		err := rename(l.o.markerOf(path), l.o.markerOf(target))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return rename(path, target)
}

// retarget chooses another name for an entry.
func (l *Loop) retarget(ctx context.Context, item *Item) error {
	to := *item
	var err error
	if to.Target, err = l.freeName(item.Target); err != nil {
		return l.putOff(ctx, item, "cannot be moved", err)
	}
	_, err = l.o.Store.ChangeItem(ctx, l.o.Name, &to, Moving) // the next pass moves it
	return err
}

// freeName is a path, with a number where there is something of its name.
func (l *Loop) freeName(path string) (string, error) {
	ending := filepath.Ext(path)
	if base := filepath.Base(path); ending == base || ending == "." {
		ending = ""
	}
	stem := strings.TrimSuffix(path, ending)
	for n := 1; n <= 100_000; n++ {
		name := path
		if n > 1 {
			name = fmt.Sprintf("%s.%d%s", stem, n, ending)
		}
		_, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) && l.o.Marker != "" && l.o.Each == EachFile {
			_, err = os.Lstat(l.o.markerOf(name))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %w, and so do 100,000 numbered ones", path, fs.ErrExist)
}
