package batcher

import (
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
	"time"
)

// windowControl decides how many unfinished batches a transfer may have: few, so that
// what is submitted later need not wait behind them, but enough that workers
// never run out. It starts at twice what the workers do at once, doubles while
// they empty it between two looks, and shrinks slowly while they do not. The
// zero value is a pace that has seen nothing.
type windowControl struct {
	window       int
	inputLimited bool // the last look left it filled

	first int64     // the first file that waits for others to fill its batch
	since time.Time // it has waited since then; zero when none waits
}

// readyFiles is how many files of a backlog may be cut now. While files may still
// come, those that do not fill a batch wait for others, as long as the policy's
// delay lets them.
func (p *windowControl) readyFiles(b *ledger.Backlog, policy tasks.BatchPolicy, now time.Time) int {
	n := b.Files - b.Cursor
	if b.Sealed || policy.MaxItems <= 0 {
		return int(n)
	}
	if full := n - n%int64(policy.MaxItems); full > 0 {
		p.since = time.Time{}
		return int(full)
	}
	if p.since.IsZero() || p.first != b.Cursor+1 {
		p.since, p.first = now, b.Cursor+1
	}
	if now.Sub(p.since) < policy.MaxDelay {
		return 0
	}
	p.since = time.Time{}
	return int(n)
}

// room is how many more batches may be cut, with open of them unfinished,
// slots batches run at once by all live workers, and most as the upper bound.
// Slots 0 says that nobody knows: then most holds.
func (p *windowControl) room(open, slots, most int) int {
	if slots <= 0 {
		return max(most-open, 0)
	}
	least := min(2*slots+2, most)
	switch {
	case p.window < least:
		p.window = least
	case p.inputLimited && open <= p.window/4:
		p.window = min(2*p.window, most) // they were about to run out
	case p.inputLimited && open > p.window/2:
		p.window = max(p.window-1-p.window/16, least)
	}
	return max(p.window-open, 0)
}
