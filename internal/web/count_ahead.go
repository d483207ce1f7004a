package web

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// countAhead counts the failures of a transfer that has ended while a person looks at the page
// of the transfer: the page of failures, which comes next, then need not wait for the database.
type countAhead struct {
	mutex sync.Mutex
	last  string    // the transfer that was counted last
	ended time.Time // and its end
}

func (c *countAhead) begin(opts *Options, t *tasks.Transfer) {
	results := t.Totals()
	if opts.Results == nil || !t.State.Ended() || results.Failures() == 0 || !c.first(t) {
		return
	}
	of := *t
	opts.background.start(func(ctx context.Context) { // an error comes again on the page of failures, which shows it
		_, _ = opts.Results.Failures(ctx, of, new(filterForm).failures(&of), shownFailures+1)
	})
}

// first reports whether the transfer is another one than before, or has ended again.
func (c *countAhead) first(t *tasks.Transfer) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.last == t.UUID && c.ended.Equal(t.EndedAt) {
		return false
	}
	c.last, c.ended = t.UUID, t.EndedAt
	return true
}
