package handlers

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// SetProgress reports how far the final step is, for people who watch the transfer. Without
// it, what Files and Results have yielded counts. The worker writes the last report to the
// database when it renews its lease of the step.
func (c *TransferJob) SetProgress(p tasks.Progress) {
	c.ownProgress = true
	c.progress.Store(&p)
}

// Progress is how far the step is, as far as it is known. It is for runners, and safe to call
// while the finalizer runs.
func (c *TransferJob) Progress() tasks.Progress {
	if p := c.progress.Load(); p != nil {
		return *p
	}
	return tasks.Progress{}
}

// passed notes how many rows a pass has yielded, a page at a time. How many there are is
// counted once, and only when there is more than a page.
func (c *TransferJob) passed(ctx context.Context, n int64, unit string) {
	if c.ownProgress || n%readPage != 0 {
		return
	}
	p := tasks.Progress{Items: n, Unit: unit}
	if unit == "files" {
		if c.counted == 0 {
			c.counted, _, _ = c.Totals(ctx) // without it the progress says less
		}
		p.OfItems = c.counted
	}
	c.progress.Store(&p)
}
