package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
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
				return nil //nolint:nilerr // told to end
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
	}
	now := ""
	if target != "" {
		if now, err = l.look.fingerprint(ctx, item.Path); err != nil {
			return l.putOff(ctx, item, "cannot be read", err)
		}
		if now == "" && l.away(item) {
			return nil
		}
	}
	if outcome.Bad {
		l.o.Log.WarnContext(ctx, "the transfer of an entry has ended with failures", "path", path, "transfer", outcome.UUID)
	}
	switch {
	case target != "" && now == "":
		l.o.Log.WarnContext(ctx, "an entry is not there any more: somebody has moved or deleted it before it was moved",
			"path", path, "transfer", outcome.UUID)
		return l.o.Store.DropItem(ctx, l.o.Name, item)
	case now != item.Print: // it stays, or is submitted again
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
