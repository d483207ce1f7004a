package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/internal/failpoint"
)

// move moves an entry to its target, or notes that it was moved.
func (l *Loop) move(ctx context.Context, item *Item) error {
	failpoint.Point(failpoint.WatchMoving)
	path := filepath.Join(l.o.Folder, item.Path)
	now, err := l.look.fingerprint(ctx, item.Path)
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
		if now == "" && l.away(item) {
			return nil
		}
		l.o.Log.WarnContext(ctx, "an entry was not moved: it is not there any more, or has changed", "path", path, "error", err)
		l.tried(item)
		return l.o.Store.DropItem(ctx, l.o.Name, item)
	}
	back, err := l.putBack(ctx, item, now == item.Print)
	if err != nil {
		return err
	}
	if err := l.o.Store.DropItem(ctx, l.o.Name, item); err != nil {
		return err
	}
	l.tried(item)
	if back {
		return nil
	}
	l.did(path)
	l.status.Moved++
	l.o.Metrics.moved()
	l.o.Log.InfoContext(ctx, "an entry is moved", "path", path, "to", item.Target)
	return nil
}

// putBack puts an entry back that was written to while it was moved, because nobody has
// processed what it holds now. An entry that an earlier process has moved stays: whoever uses
// it there may have changed it since.
func (l *Loop) putBack(ctx context.Context, item *Item, justMoved bool) (bool, error) {
	path := filepath.Join(l.o.Folder, item.Path)
	there, err := l.look.printMoved(ctx, path, item.Target)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		l.o.Log.WarnContext(ctx, "an entry that was moved cannot be read: whether it changed meanwhile is unknown",
			"to", item.Target, "error", err)
		return false, nil
	}
	if there == item.Print || there == "" { // "": whoever uses it was faster
		return false, nil
	}
	if justMoved {
		if err = rename(item.Target, path); err == nil {
			if err := l.moveMarker(item.Target, path); err != nil {
				l.o.Log.ErrorContext(ctx, "the marker of an entry that is put back stays behind; make it again", "path", path, "error", err)
			}
			l.o.Log.WarnContext(ctx, "an entry was written to while it was moved: it is put back, and submitted again when it has settled",
				"path", path)
			return true, nil
		}
	}
	l.o.Log.ErrorContext(ctx, "an entry that was moved is not what was submitted: something has written to it since, and no transfer "+
		"has processed that; move it back into the watched folder to submit it", "path", path, "to", item.Target, "error", err)
	l.o.Metrics.problem()
	return false, nil
}

// moveTo moves the marker first: one that stayed would say that the next file of this name is
// complete.
func (l *Loop) moveTo(path, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil { //nolint:gosec // as mkdir does; the umask decides
		return err
	}
	if err := l.moveMarker(path, target); err != nil {
		return err
	}
	if err := rename(path, target); err != nil {
		return errors.Join(err, l.moveMarker(target, path))
	}
	return nil
}

// moveMarker moves the marker that lies beside an entry, if there is one.
func (l *Loop) moveMarker(path, target string) error {
	if l.o.Marker == "" || l.o.Each != EachFile {
		return nil
	}
	if err := rename(l.o.markerOf(path), l.o.markerOf(target)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
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
