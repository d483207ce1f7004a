package admission

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ratePart is a share of a limit of 100 files a second on everything.
func ratePart(now, inTheEnd float64) []ledger.LimitShare {
	return []ledger.LimitShare{{Limit: tasks.Limit{Scope: tasks.ScopeAll, FilesPerSecond: 100}, Rate: now, RateShare: inTheEnd}}
}

// A worker that has lost the database stops using its rate when others may have it: counted
// from when it asked, not from when the answer came.
func TestARateExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		const late = 3 * time.Second
		g.SetShares(ratePart(100, 100), late)
		time.Sleep(ledger.RateShareValid - late)
		if _, full := enter(t, g, 1); full != nil || g.RatesInUse()[allKey] != 100 {
			t.Errorf("while its share is valid, a batch got %v, and the worker reports %v", full, g.RatesInUse())
		}
		time.Sleep(time.Nanosecond)
		if _, full := enter(t, g, 1); full == nil || full.Reason != LimitRate {
			t.Error("a batch got in on a share that others may have")
		}
		if got := g.RatesInUse(); len(got) > 0 {
			t.Errorf("reports %v", got)
		}
		g.SetShares(ratePart(100, 100), 0)
		if _, full := enter(t, g, 1); full != nil {
			t.Errorf("with a new share, a batch got %v", full)
		}
	})
}

// A worker that gets a part of a rate from others starts without tokens: they have used
// theirs. Alone it may start at once.
func TestAPartOfARateStartsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		begun := time.Now()
		g.SetShares(ratePart(100, 100), 0)
		if _, full := enter(t, g, 25); full != nil || time.Since(begun) > 0 {
			t.Errorf("alone, a batch got %v after %s", full, time.Since(begun))
		}
		g = NewLimiter(time.Now, 0)
		g.SetShares(ratePart(50, 50), 0)
		if _, full := enter(t, g, 5); full != nil || time.Since(begun) != 100*time.Millisecond {
			t.Errorf("with a part of the rate, a batch of 5 got %v after %s", full, time.Since(begun))
		}
	})
}

// A large batch is paid for although the worker has no share for a while.
func TestARateKeepsItsDebt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		g.SetShares(ratePart(100, 100), 0)
		if _, full := enter(t, g, 100); full != nil {
			t.Fatal(full)
		}
		g.SetShares(ratePart(0, 50), 0)
		if _, full := enter(t, g, 1); full == nil || full.Reason != LimitRate {
			t.Error("a batch got in without a share")
		}
		g.SetShares(ratePart(50, 50), 0)
		if _, full := enter(t, g, 13); full == nil || full.RetryAfter < time.Second {
			t.Errorf("before the large batch is paid for, a batch got %v", full)
		}
	})
}

// The worker asks again soon while its rate is less than its share, and once after it was
// lowered, so that others soon get the rest.
func TestARateSettles(t *testing.T) {
	g := NewLimiter(time.Now, 0)
	for _, s := range []struct {
		now, inTheEnd float64
		unsettled     bool
	}{{100, 100, false}, {50, 50, true}, {50, 50, false}, {0, 50, true}, {0, 50, true}, {50 - 1e-12, 50, false}, {0, 0, true}, {0, 0, false}} {
		g.SetShares(ratePart(s.now, s.inTheEnd), 0)
		if got := g.Unsettled(); got != s.unsettled {
			t.Errorf("%g of %g files a second: unsettled %t", s.now, s.inTheEnd, got)
		}
	}
}

// A batch waits in the worker for tokens of a small part of a rate, so that they are not lost
// while all batches are back in the queue.
func TestABatchWaitsForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 0)
		begun := time.Now()
		g.SetShares(ratePart(50.0/3, 50.0/3), 0)
		for i := range 3 {
			_, full := enter(t, g, 5)
			if want := time.Duration(i+1) * 300 * time.Millisecond; full != nil || (time.Since(begun)-want).Abs() > time.Millisecond {
				t.Errorf("batch %d got %v after %s, want %s", i+1, full, time.Since(begun), want)
			}
		}
	})
}
