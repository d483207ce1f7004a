package watch

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
)

// retryAfter is how long an item rests that could not be submitted or moved.
const retryAfter = 30 * time.Second

// awayRest is how long an item rests whose folder is away.
const awayRest = 10 * time.Second

const goneMessage = "the watched folder cannot be read; it is looked at again until it can"

// lookAll looks at the whole folder, and submits what has settled.
func (l *Loop) lookAll(ctx, working context.Context) error {
	l.settle.begin()
	troubled := l.status.Problem
	l.status.Problem = ""
	found := 0
	err := l.look.look(ctx, func(page []entry) error {
		found += len(page)
		return l.submitPage(ctx, working, page)
	})
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // told to end
	case errors.Is(err, errGone):
		l.found, l.status.Problem = 0, err.Error()
		l.trouble(ctx, slog.LevelError, l.o.Folder, goneMessage, "error", err)
		return nil // nothing is known of its entries: what settles goes on when it is back
	case err != nil:
		l.status.Problem = troubled
		return err
	}
	if l.notices.over(l.o.Folder, goneMessage) {
		l.o.Log.InfoContext(ctx, "the watched folder can be read again", "path", l.o.Folder)
	}
	for _, why := range l.failed {
		l.status.Problem = why
	}
	l.settle.end()
	l.found = found
	return nil
}

func (l *Loop) submitPage(ctx, working context.Context, page []entry) error {
	paths := make([]string, len(page))
	for i := range page {
		paths[i] = page[i].path
	}
	known, err := l.o.Store.WatchedItems(working, l.o.Name, paths)
	if err != nil {
		return err
	}
	for i := range page {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := &page[i]
		item, has := known[e.path]
		if has && !l.isNew(ctx, &item, e) || !l.settle.see(e, time.Now()) {
			continue
		}
		if err := l.begin(working, e, item.Token); err != nil {
			return err
		}
		l.settle.forget(e.path)
	}
	return nil
}

// isNew reports whether an entry has another content than what was submitted.
func (l *Loop) isNew(ctx context.Context, item *Item, e *entry) bool {
	if item.Print == e.fingerprint {
		return false
	}
	if item.Stage == Ended {
		return true
	}
	l.notices.once(ctx, slog.LevelWarn, filepath.Join(l.o.Folder, e.path),
		"an entry has changed after it was submitted: its results may be those of neither content; "+
			"it is submitted again when its transfer has ended",
		"fingerprint", e.fingerprint)
	return false
}

// begin submits an entry that has settled.
func (l *Loop) begin(ctx context.Context, e *entry, replaces string) error {
	item := Item{Path: e.path, Print: e.fingerprint, Token: rand.Text(), Stage: Submitting}
	began, err := l.o.Store.BeginItem(ctx, l.o.Name, &item, replaces)
	if err != nil || !began {
		return err
	}
	failpoint.Point(failpoint.WatchBegun)
	return l.submit(ctx, &item)
}

// submit makes the transfer of an item, or takes the one that was made.
func (l *Loop) submit(ctx context.Context, item *Item) error {
	path := filepath.Join(l.o.Folder, item.Path)
	id, uuid, err := l.o.Transfers.Submit(ctx, path, item.key())
	if err != nil {
		return l.putOff(ctx, item, "cannot be submitted", err)
	}
	failpoint.Point(failpoint.WatchSubmitted)
	to := *item
	to.Stage, to.Transfer = Submitted, id
	changed, err := l.o.Store.ChangeItem(ctx, l.o.Name, &to, Submitting)
	if err != nil || !changed {
		return err
	}
	l.tried(item)
	l.did(path)
	l.status.Submitted++
	l.o.Metrics.submitted()
	l.o.Log.InfoContext(ctx, "an entry is submitted", "path", path, "transfer", uuid)
	return nil
}

// resume goes on with an item whose process died, or that could not be submitted.
func (l *Loop) resume(ctx context.Context, item *Item) error {
	made, err := l.o.Transfers.ByKey(ctx, item.key())
	if err != nil {
		return err
	}
	if made == 0 {
		now, err := l.look.fingerprint(ctx, item.Path)
		if err != nil {
			return l.putOff(ctx, item, "cannot be read", err)
		}
		if now == "" && l.away(item) {
			return nil
		}
		if now != item.Print { // nothing was made of it: what is there now settles anew
			l.tried(item)
			return l.o.Store.DropItem(ctx, l.o.Name, item)
		}
	}
	return l.submit(ctx, item)
}

// putOff tries an item again later. It returns errors that concern all items.
func (l *Loop) putOff(ctx context.Context, item *Item, what string, err error) error {
	if ctx.Err() != nil || l.o.Transfers.Temporary(err) {
		return err
	}
	path := filepath.Join(l.o.Folder, item.Path)
	why := fmt.Sprintf("%s %s: %v", path, what, err)
	l.pause[item.Token], l.failed[item.Token] = time.Now().Add(retryAfter), why
	l.status.Problem = why
	l.trouble(ctx, slog.LevelError, path, "an entry "+what+"; it is tried again every "+retryAfter.String(), "error", err)
	return nil
}

// away reports whether an entry that is not there may lie in a folder that is away itself, and
// lets the item rest then. An empty folder may be the one that a share is mounted on.
func (l *Loop) away(item *Item) bool {
	dir, err := os.Open(l.o.Folder)
	if err == nil {
		defer func() { _ = dir.Close() }()
		_, err = dir.Readdirnames(1)
	}
	if err == nil {
		return false
	}
	l.pause[item.Token] = time.Now().Add(awayRest)
	return true
}

// tried forgets that an item has failed.
func (l *Loop) tried(item *Item) {
	delete(l.pause, item.Token)
	delete(l.failed, item.Token)
}

// did notes the last thing that was done.
func (l *Loop) did(path string) { l.status.LastAt, l.status.LastPath = l.o.Now(), path }

// hashName is a name of fixed length.
func hashName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
