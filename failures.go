package baler

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

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
