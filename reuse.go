package baler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/ledger"
)

// ReuseCount counts the results of a handler that steps with reuse can take over.
type ReuseCount = ledger.ReuseCount

// ErrNothingToReuse says that no result of a handler can be taken over.
var ErrNothingToReuse = errors.New("no result of this handler can be taken over")

// Reusable counts the results that steps with reuse can take over, by handler.
func (b *Baler) Reusable(ctx context.Context) ([]ReuseCount, error) {
	return b.store.CountReusable(ctx)
}

// ForgetReusable makes results run again that steps with reuse would take over, and counts
// them: those whose handler ran longer ago than the age, of one handler or, for "", of all.
// The results themselves stay. A handler of which there are none is an ErrNothingToReuse.
func (b *Baler) ForgetReusable(ctx context.Context, handler string, olderThan time.Duration) (forgotten int64, err error) {
	counts, err := b.store.CountReusable(ctx)
	if err != nil {
		return 0, err
	}
	if handler != "" {
		counts = slices.DeleteFunc(counts, func(c ReuseCount) bool { return c.Handler != handler })
		if len(counts) == 0 {
			return 0, ErrNothingToReuse
		}
	}
	// A worker's clock may be ahead of this one: without an age, all times are before this.
	before := b.now().AddDate(100, 0, 0)
	if olderThan > 0 {
		before = b.now().Add(-olderThan)
	}
	for _, c := range counts {
		n, err := b.store.ForgetReusable(ctx, c.Handler, before)
		if forgotten += n; err != nil {
			return forgotten, err
		}
	}
	return forgotten, nil
}
