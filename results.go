package baler

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ResultFilter selects results. The zero value selects all.
type ResultFilter struct {
	Step     string // a step's name; empty: every step
	Outcomes []tasks.Outcome
	File     int64  // 0: every file
	Parent   int64  // 0: every file; otherwise only those that were emitted from this one
	Code     string // empty: every code

	// Message selects failures with this message, as Failures groups them: see
	// tasks.FailureMessage. Empty: every result.
	Message string

	// Exactly selects failures whose code and message are these, also when they are empty.
	Exactly bool
}

// Empty reports whether f selects every result.
func (f *ResultFilter) Empty() bool {
	return f.Step == "" && len(f.Outcomes) == 0 && f.File == 0 && f.Parent == 0 && f.Code == "" && f.Message == "" && !f.Exactly
}

// resultPage is how many results are held in memory at a time.
const resultPage = 1000

// ErrStepNotFound is the error for a step that is not in the transfer's recipe.
var ErrStepNotFound = errors.New("no such step")

func (f ResultFilter) of(t tasks.Transfer) (tasks.ResultSelector, error) {
	filter := tasks.ResultSelector{Outcomes: f.Outcomes, File: f.File, Parent: f.Parent, Code: f.Code, Message: f.Message, Exactly: f.Exactly}
	if f.Step == "" {
		return filter, nil
	}
	names := make([]string, len(t.Steps))
	for i, s := range t.Steps {
		names[i] = s.Name
		if s.Name == f.Step {
			filter.Step = s.Number
		}
	}
	if filter.Step == 0 {
		return filter, fmt.Errorf("%w: %q; the transfer has %s", ErrStepNotFound, f.Step, strings.Join(names, ", "))
	}
	return filter, nil
}

// Results yields a transfer's results in the order of steps and files, in
// bounded memory. It ends with the first error.
func (b *Baler) Results(ctx context.Context, t tasks.Transfer, f ResultFilter) iter.Seq2[tasks.ResultLine, error] {
	filter, err := f.of(t)
	return keyset.PaginateResults(&t, resultPage, func(after tasks.ResultKey) ([]tasks.ResultRow, error) {
		if err != nil {
			return nil, err
		}
		return b.store.Results(ctx, t.ID, filter, after, resultPage)
	})
}

// LiveWork reads what happens in a transfer just now: the batches that run by worker, and the
// newest failures. It reads few rows, however large the transfer is.
func (b *Baler) LiveWork(ctx context.Context, t tasks.Transfer) (tasks.LiveWork, error) {
	return b.control.LiveWork(ctx, t)
}

// Failures counts the failures of a transfer that a filter selects by step, outcome, code
// and message, the most frequent first, up to limit groups. It reads no other results,
// however many there are.
func (b *Baler) Failures(ctx context.Context, t tasks.Transfer, f ResultFilter, limit int) ([]tasks.FailureGroup, error) {
	filter, err := f.of(t)
	if err != nil {
		return nil, err
	}
	return b.store.FailureGroups(ctx, t.ID, filter, limit)
}

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
