package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Limits of comparisons of transfers.
const (
	comparisonsKept = 16                     // in memory
	differencesKept = 300                    // of a kind
	comparisonFirst = 200 * time.Millisecond // for which a page waits for the end of one
	comparisonAlone = 30 * time.Second       // after which one that nobody looks at is given up
)

// errGivenUp is the error of a comparison that nobody has looked at for a time.
var errGivenUp = errors.New("nobody looks at this comparison")

// comparison compares two transfers in the background, which takes minutes for millions of
// files. It keeps the counts, and the first differences of each kind.
type comparison struct {
	done chan struct{} // closed at the end

	mutex  sync.Mutex
	used   time.Time // by a page
	read   int64     // files of both transfers
	counts ledger.Fixity
	first  map[fixity.Kind][]fixity.Difference
	err    error
}

// comparisons keeps those that were looked at last. One at a time reads from the database.
type comparisons struct {
	compare    func(ctx context.Context, from, to tasks.Transfer, read func(), found func(fixity.Difference) error) (ledger.Fixity, error)
	background *background
	turn       chan struct{} // has room for one

	mutex sync.Mutex
	of    map[string]*comparison
}

// get returns the comparison of two transfers that have ended. It begins a new one after an
// error, and when results have come since.
func (s *comparisons) get(from, to *tasks.Transfer) *comparison {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	was, is := from.Totals(), to.Totals()
	key := fmt.Sprintf("%s %d %s %d", from.UUID, was.Total(), to.UUID, is.Total())
	c := s.of[key]
	if c == nil || c.failed() {
		c = &comparison{done: make(chan struct{}), first: make(map[fixity.Kind][]fixity.Difference)}
		if s.of == nil {
			s.of = make(map[string]*comparison)
		}
		s.of[key] = c
		c.use()
		s.dropOldest()
		a, b := *from, *to
		s.background.start(func(ctx context.Context) { s.run(ctx, c, a, b) })
	}
	c.use()
	return c
}

// dropOldest drops the comparison that was looked at longest ago; nobody looks at it, and so
// it is given up if it has not ended.
func (s *comparisons) dropOldest() {
	if len(s.of) > comparisonsKept {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(s.of)), func(a, b string) int { return s.of[a].lastUse().Compare(s.of[b].lastUse()) })
		delete(s.of, oldest)
	}
}

func (s *comparisons) run(ctx context.Context, c *comparison, from, to tasks.Transfer) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var counts ledger.Fixity
	var err error
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		counts, err = s.compare(ctx, from, to, func() {
			if c.next() > comparisonAlone {
				cancel(errGivenUp)
			}
		}, c.found)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if given := context.Cause(ctx); err != nil && given != nil {
		err = given
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.counts, c.err = counts, err
	close(c.done)
}

// next counts a file that was read, and returns for how long nobody has looked.
func (c *comparison) next() time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.read++; c.read%fixity.Page != 1 {
		return 0 // a clock takes longer than a counter
	}
	return time.Since(c.used)
}

func (c *comparison) found(d fixity.Difference) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.first[d.Kind]) < differencesKept {
		c.first[d.Kind] = append(c.first[d.Kind], d)
	}
	return nil
}

func (c *comparison) use() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.used = time.Now()
}

func (c *comparison) lastUse() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.used
}

func (c *comparison) failed() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.err != nil
}

// wait waits for the end, for a short time.
func (c *comparison) wait(ctx context.Context) (ended bool) {
	ctx, cancel := context.WithTimeout(ctx, comparisonFirst)
	defer cancel()
	select {
	case <-c.done:
		return true
	case <-ctx.Done():
		return false
	}
}
