package admission

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A promoted batch that the limit has kept out gets the next room, before the batches that wait here
// already, and while it is back in the queue.
func TestPromotedBatchGetsTheNextRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		g.SetShares(shareOfOne, 0)
		first, _ := enter(t, g, 1)
		if err := enterPromoted(t, g, 7); err == nil {
			t.Fatal("two batches got in")
		}
		time.Sleep(patience)
		first()
		if _, full := enter(t, g, 1); full == nil || full.Limit != allKey {
			t.Fatalf("another batch took the room: %v", full)
		}
		waits := make(chan *ThrottledError)
		go func() {
			_, full := enter(t, g, 1)
			waits <- full
		}()
		synctest.Wait()
		if err := enterPromoted(t, g, 7); err != nil {
			t.Errorf("the promoted batch did not get the room: %v", err)
		}
		if full := <-waits; full == nil {
			t.Error("two batches got in")
		}
	})
}

// Promoted batches get room in the order in which the limit has kept them out.
func TestPromotedBatchesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		g.SetShares(shareOfOne, 0)
		leave, _ := enter(t, g, 1)
		for batch := range int64(3) {
			if err := enterPromoted(t, g, batch); err == nil {
				t.Fatal("two batches got in")
			}
		}
		for batch := range int64(3) {
			leave()
			for later := batch + 1; later < 4; later++ { // 3 is new
				if err := enterPromoted(t, g, later); err == nil {
					t.Fatalf("batch %d got in before batch %d", later, batch)
				}
			}
			var err error
			if leave, err = g.Enter(t.Context(), promoted(batch)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// When a promoted batch does not come back, others get its room after a while.
func TestClaimEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		g.SetShares(shareOfOne, 0)
		first, _ := enter(t, g, 1)
		if err := enterPromoted(t, g, 7); err == nil {
			t.Fatal("two batches got in")
		}
		first()
		time.Sleep(claimTime + time.Millisecond)
		if _, full := enter(t, g, 1); full != nil {
			t.Errorf("a batch was kept out: %v", full)
		}
	})
}

// A stream of promoted batches does not keep others out for ever.
func TestPromotedBatchesLeaveRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		g.SetShares(shareOfOne, 0)
		leave, _ := enter(t, g, 1)
		for n := range int64(maxOvertaken) {
			if err := enterPromoted(t, g, n); err == nil {
				t.Fatal("two batches got in")
			}
			leave()
			var err error
			if leave, err = g.Enter(t.Context(), promoted(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := enterPromoted(t, g, 100); err == nil {
			t.Fatal("two batches got in")
		}
		leave()
		if _, full := enter(t, g, 1); full != nil {
			t.Errorf("the batch was overtaken once more: %v", full)
		}
	})
}

func promoted(batch int64) Entrant {
	return Entrant{Batch: batch, Keys: []string{allKey}, Files: 1, Promoted: func(context.Context) bool { return true }}
}

func enterPromoted(t *testing.T, g *Limiter, batch int64) error {
	t.Helper()
	_, err := g.Enter(t.Context(), promoted(batch))
	if _, full := errors.AsType[*ThrottledError](err); err != nil && !full {
		t.Fatal(err)
	}
	return err
}
