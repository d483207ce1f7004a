package dispatch

import (
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// windowControl decides how many unfinished batches a transfer may have: few, so that
// later transfers need not wait for them, but enough that workers never run out. The
// window starts at twice what the workers run at once, doubles while they nearly empty
// it between two rounds, and shrinks slowly while they do not. The zero value is a new
// window.
type windowControl struct {
	window       int
	inputLimited bool // at the last round there were files left to fill it

	first int64     // the first file that waits for others to fill its batch
	since time.Time // when it began to wait; zero when none waits
}

// room is how many more batches may be made when open of them are unfinished, all live
// workers run slots batches at once, and limit is the largest window of a few workers: that of
// many is as large as it must be for all of them to have work. When slots is 0, for unknown,
// only limit counts. While transfers share the workers, they share one window.
// Each gets a part of it in proportion to its weight; because the queue keeps the order,
// the workers are shared in that proportion, too.
func (w *windowControl) room(open, slots, limit int, s shared) int {
	if slots <= 0 {
		return max(s.part(limit, 0)-open, 0)
	}
	least := 2*slots + 2
	limit = max(limit, least)
	all := open + s.othersOpen
	switch {
	case w.window < least:
		w.window = least
	case w.inputLimited && all <= w.window/4:
		w.window = min(2*w.window, limit) // the workers were about to run out
	case w.inputLimited && all > w.window/2:
		w.window = max(w.window-1-w.window/16, least)
	}
	return max(min(s.part(w.window, slots), limit)-open, 0)
}

// readyFiles is how many files of a backlog may be dispatched now. While more files may
// be registered, those that do not fill a batch wait for others, at most for the delay
// of the policy.
func (w *windowControl) readyFiles(b *ledger.Backlog, policy tasks.BatchPolicy, now time.Time) int {
	n := b.Files - b.Cursor
	if b.Sealed || policy.MaxItems <= 0 {
		return int(n)
	}
	if full := n - n%int64(policy.MaxItems); full > 0 {
		w.since = time.Time{}
		return int(full)
	}
	if w.since.IsZero() || w.first != b.Cursor+1 {
		w.since, w.first = now, b.Cursor+1
	}
	if now.Sub(w.since) < policy.MaxDelay {
		return 0
	}
	w.since = time.Time{}
	return int(n)
}
