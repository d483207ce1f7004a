package dispatch

import (
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// windowControl decides how many unfinished batches a transfer may have: few, so
// that what is submitted later need not wait behind them, but enough that workers
// never run out. The window starts at twice what the workers do at once, doubles
// while they empty it between two looks, and shrinks slowly while they do not.
// The zero value is a window that has seen nothing.
type windowControl struct {
	window       int
	inputLimited bool // at the last look there were files left to fill it

	first int64     // the first file that waits for others to fill its batch
	since time.Time // it has waited since then; zero when none waits
}

// room is how many more batches may be made, with open of them unfinished, slots
// batches run at once by all live workers, and most as the upper bound. With
// slots 0, when nobody knows, only most counts.
func (w *windowControl) room(open, slots, most int) int {
	if slots <= 0 {
		return max(most-open, 0)
	}
	least := min(2*slots+2, most)
	switch {
	case w.window < least:
		w.window = least
	case w.inputLimited && open <= w.window/4:
		w.window = min(2*w.window, most) // the workers were about to run out
	case w.inputLimited && open > w.window/2:
		w.window = max(w.window-1-w.window/16, least)
	}
	return max(w.window-open, 0)
}

// readyFiles is how many files of a backlog may become batches now. While more
// files may come, those that do not fill a batch wait for others, as long as the
// policy's delay.
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
