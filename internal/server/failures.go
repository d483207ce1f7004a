package server

import (
	"context"
	"fmt"
	"sync"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// mostKept is how many answers keptFailures has at most: a thousand kinds of failures with
// their messages take about half a megabyte.
const mostKept = 32

// keptFailures keeps the kinds of failures of transfers that have ended, which do not change
// until the transfer runs again, and then ends at another time. Counting 100,000 failures
// takes the database a tenth of a second or more, and people come back to the page.
type keptFailures struct {
	mu  sync.Mutex
	all map[string][]tasks.FailureGroup
}

// get returns what is kept, or else reads it. Callers must not change the groups.
func (k *keptFailures) get(
	ctx context.Context, t *tasks.Transfer, f *tasks.ResultSelector, limit int,
	read func(context.Context, int64, tasks.ResultSelector, int) ([]tasks.FailureGroup, error),
) ([]tasks.FailureGroup, error) {
	if !t.State.Ended() || t.EndedAt.IsZero() {
		return read(ctx, t.ID, *f, limit)
	}
	key := fmt.Sprintf("%s %d %d %+q %d", t.UUID, t.EndedAt.UnixMicro(), limit, fmt.Sprintf("%+v", *f), t.Finished)
	k.mu.Lock()
	groups, known := k.all[key]
	k.mu.Unlock()
	if known {
		return groups, nil
	}
	// A replica may not have all of them yet, and what is kept counts for long.
	groups, err := read(db.OnPrimary(ctx), t.ID, *f, limit)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.all) >= mostKept || k.all == nil {
		k.all = make(map[string][]tasks.FailureGroup) // simple, and rare
	}
	k.all[key] = groups
	return groups, nil
}
