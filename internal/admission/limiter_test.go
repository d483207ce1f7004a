package admission

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func shareOf(inFlight, share, most int, rate float64) ledger.LimitShare {
	return ledger.LimitShare{Limit: tasks.Limit{Scope: tasks.ScopeAll, InFlight: inFlight, FilesPerSecond: rate}, Share: share, Max: most, Rate: rate}
}

const allKey = "all "

var shareOfOne = []ledger.LimitShare{shareOf(1, 1, 1, 0)}

// enter asks for a batch, which must be admitted at once or refused.
func enter(t *testing.T, g *Limiter, files int) (leave func(), full *ThrottledError) {
	t.Helper()
	leave, err := g.Enter(t.Context(), Entrant{Keys: []string{allKey}, Files: files})
	if err != nil && !errors.As(err, &full) {
		t.Fatal(err)
	}
	return leave, full
}

func TestLimiterKeepsTheShareInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now)
		first, _ := enter(t, g, 1)
		g.SetShares([]ledger.LimitShare{shareOf(4, 2, 2, 0)})
		second, full := enter(t, g, 1)
		if full != nil {
			t.Fatal("the second batch did not get in")
		}
		begun := time.Now()
		if _, full := enter(t, g, 1); full == nil || full.Reason != LimitInFlight || time.Since(begun) != patience {
			t.Errorf("a third batch got %v after %s", full, time.Since(begun))
		}
		time.AfterFunc(patience/2, first)
		third, full := enter(t, g, 1)
		if full != nil {
			t.Fatal("no batch got in when one had left")
		}
		g.SetShares([]ledger.LimitShare{shareOf(2, 1, 1, 0)}) // lowered while two run
		if held := g.InUse()[allKey]; held != 2 || !g.Unsettled() {
			t.Errorf("holds %d", held)
		}
		second()
		second() // leaving twice is leaving once
		if _, full := enter(t, g, 1); full == nil {
			t.Error("a batch got in beside the one that still runs")
		}
		g.SetShares(nil)
		if _, full := enter(t, g, 1); full != nil {
			t.Error("a limit that was removed keeps a batch out")
		}
		third()
	})
}

// A worker without a share refuses batches at once, and for a while, so that it does not
// spin.
func TestLimiterWithoutAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now)
		g.SetShares([]ledger.LimitShare{shareOf(1, 0, 0, 0)})
		begun := time.Now()
		if _, full := enter(t, g, 1); full == nil || full.RetryAfter < time.Second || time.Since(begun) > 0 || !g.Blocked() {
			t.Errorf("a batch got %v", full)
		}
		g.SetShares([]ledger.LimitShare{shareOf(2, 1, 1, 0)})
		if leave, full := enter(t, g, 1); full != nil || g.Blocked() {
			t.Errorf("a batch got %v", full)
		} else {
			leave()
		}
		time.Sleep(sharesValid + time.Second) // of the bubble: the worker has lost the database
		if _, full := enter(t, g, 1); full == nil {
			t.Error("a batch got in on a share that others may have by now")
		}
	})
}

// Batches of any size keep a rate, also those with more files than a second allows.
func TestLimiterKeepsARate(t *testing.T) {
	for _, size := range []int{1, 7, 500} {
		synctest.Test(t, func(t *testing.T) {
			g := NewLimiter(time.Now)
			g.SetShares([]ledger.LimitShare{shareOf(0, 0, 0, 100)})
			begun, files := time.Now(), 0
			for time.Since(begun) < 20*time.Second {
				leave, full := enter(t, g, size)
				if full != nil {
					time.Sleep(full.RetryAfter) // of the bubble, as the queue does
					continue
				}
				files += size
				leave()
			}
			// The tokens of the last batch may be paid after the end.
			if want := 100 * 20; files < want-want/5 || files-size > want+want/5 {
				t.Errorf("%d files in 20 s in batches of %d, want %d", files, size, want)
			}
			g.SetShares([]ledger.LimitShare{shareOf(0, 0, 0, 1e6)})
			time.Sleep(time.Second)
			if _, full := enter(t, g, size); full != nil {
				t.Errorf("a batch of %d got %v when the rate was raised", size, full)
			}
		})
	}
}
