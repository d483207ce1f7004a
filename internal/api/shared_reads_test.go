package api

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// However many begin to watch a transfer at the same time, the database reads it once for
// them, after they have come.
func TestManyWhoBeginShareAFreshRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goes := make(chan struct{})
		var reads atomic.Int64
		s := sharedReads{now: time.Now, read: func(context.Context, string) (tasks.Transfer, error) {
			n := reads.Add(1)
			<-goes
			return tasks.Transfer{Finished: n}, nil
		}}
		var all sync.WaitGroup
		ask := func(n int, want int64) {
			for range n {
				all.Go(func() {
					if got, err := s.fresh(t.Context(), "a"); err != nil || got.Finished != want {
						t.Errorf("read %d, %v, want read %d", got.Finished, err, want)
					}
				})
			}
			synctest.Wait()
		}
		ask(1, 1)
		ask(1000, 2) // the first read has begun before they came
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.fresh(gone, "a"); err == nil {
			t.Error("a client that is gone waits")
		}
		goes <- struct{}{}
		synctest.Wait()
		ask(10, 3)
		goes <- struct{}{}
		goes <- struct{}{}
		all.Wait()
		synctest.Wait()
		if reads.Load() != 3 || len(s.news) != 0 {
			t.Errorf("%d reads, %d transfers are kept", reads.Load(), len(s.news))
		}
	})
}
