package api

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Any number of clients that watch a transfer cost one read of it an interval.
func TestWatchersShareReads(t *testing.T) {
	clock := testkit.NewClock()
	var reads atomic.Int64
	s := sharedReads{now: clock.Now, read: func(_ context.Context, uuid string) (tasks.Transfer, error) {
		return tasks.Transfer{UUID: uuid, Finished: reads.Add(1)}, nil
	}}
	for round := int64(1); round <= 3; round++ {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				got, err := s.transfer(t.Context(), "a")
				if err != nil || got.UUID != "a" || got.Finished != round {
					t.Errorf("round %d: read %+v, %v", round, got, err)
				}
			})
		}
		all.Wait()
		clock.Advance(eventInterval)
	}
	if b, err := s.transfer(t.Context(), "b"); err != nil || b.UUID != "b" || reads.Load() != 4 || len(s.last) != 1 {
		t.Errorf("%+v, %v after %d reads; %d kept", b, err, reads.Load(), len(s.last))
	}
}
