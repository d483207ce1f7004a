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
		g := NewLimiter(time.Now, 0)
		first, _ := enter(t, g, 1)
		g.SetShares([]ledger.LimitShare{shareOf(4, 2, 2, 0)}, 0)
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
		g.SetShares([]ledger.LimitShare{shareOf(2, 1, 1, 0)}, 0) // lowered while two run
		if held := g.InUse()[allKey]; held != 2 || !g.Unsettled() {
			t.Errorf("holds %d", held)
		}
		second()
		second() // leaving twice is leaving once
		if _, full := enter(t, g, 1); full == nil {
			t.Error("a batch got in beside the one that still runs")
		}
		g.SetShares(nil, 0)
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
		g := NewLimiter(time.Now, 0)
		g.SetShares([]ledger.LimitShare{shareOf(1, 0, 0, 0)}, 0)
		begun := time.Now()
		if _, full := enter(t, g, 1); full == nil || full.RetryAfter < blockedDelay || time.Since(begun) > 0 || !g.Blocked() {
			t.Errorf("a batch got %v", full)
		}
		g.SetShares([]ledger.LimitShare{shareOf(2, 1, 1, 0)}, 0)
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
			g := NewLimiter(time.Now, 0)
			g.SetShares([]ledger.LimitShare{shareOf(0, 0, 0, 100)}, 0)
			begun, files := time.Now(), 0
			for time.Since(begun) < 20*time.Second {
				g.SetShares([]ledger.LimitShare{shareOf(0, 0, 0, 100)}, 0) // as heartbeats do
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
			g.SetShares([]ledger.LimitShare{shareOf(0, 0, 0, 1e6)}, 0)
			time.Sleep(time.Second)
			if _, full := enter(t, g, size); full != nil {
				t.Errorf("a batch of %d got %v when the rate was raised", size, full)
			}
		})
	}
}

// A batch that a limit keeps out does not wait on the last place of the worker: others could run
// there. On the other places it waits, so that it begins when one ends.
func TestNoBatchWaitsOnTheLastPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 3)
		gpu := tasks.Limit{Scope: tasks.ScopeName, Name: "gpu", InFlight: 1}
		g.SetShares([]ledger.LimitShare{{Limit: gpu, Share: 1, Max: 1}}, 0)
		ask := func() (func(), *ThrottledError, time.Duration) {
			begun := time.Now()
			leave, err := g.Enter(t.Context(), Entrant{Keys: []string{allKey, gpu.Key()}, Files: 1})
			var full *ThrottledError
			if err != nil && !errors.As(err, &full) {
				t.Error(err)
			}
			return leave, full, time.Since(begun)
		}
		first, _, _ := ask()
		got := make(chan time.Duration, 1)
		go func() {
			leave, _, waited := ask()
			leave()
			got <- waited
		}()
		synctest.Wait()
		if _, full, waited := ask(); full == nil || full.Limit != gpu.Key() || waited > 0 {
			t.Errorf("the last place was taken for %s", waited)
		}
		if leave, full := enter(t, g, 1); full != nil {
			t.Error("a batch without the limit was kept out")
		} else {
			leave()
		}
		time.Sleep(patience / 2)
		first()
		if waited := <-got; waited != patience/2 {
			t.Errorf("the second batch waited for %s", waited)
		}
	})
}

// Many batches that one limit keeps out come back ever more slowly.
func TestACrowdComesBackSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 1)
		l := tasks.Limit{Scope: tasks.ScopeHandler, Name: "exec", InFlight: 1}
		g.SetShares([]ledger.LimitShare{{Limit: l}}, 0)
		last := time.Duration(0)
		for range 1000 {
			_, err := g.Enter(t.Context(), Entrant{Keys: []string{l.Key()}, Files: 1})
			var full *ThrottledError
			if !errors.As(err, &full) || full.RetryAfter < last || full.RetryAfter > maxDelay {
				t.Fatalf("got %v, after a delay of %s", err, last)
			}
			last = full.RetryAfter
		}
		if last != maxDelay {
			t.Errorf("the last of them comes back after %s", last)
		}
	})
}

// A limit by host and one over all workers hold both.
func TestLimiterByHost(t *testing.T) {
	g := NewLimiter(time.Now, 1)
	l := tasks.Limit{Scope: tasks.ScopeHandler, Name: "exec", PerHost: 1}
	onHost := ledger.LimitShare{Limit: l, OnHost: true, Share: 1, Max: 1}
	onHost.InFlight = 1
	g.SetShares([]ledger.LimitShare{onHost}, 0)
	leave, err := g.Enter(t.Context(), Entrant{Keys: []string{l.Key()}, Files: 1})
	if err != nil {
		t.Fatal(err)
	}
	if used := g.InUse()[tasks.HostLimitKey(l.Key())]; used != 1 {
		t.Errorf("uses %d", used)
	}
	var full *ThrottledError
	if _, err := g.Enter(t.Context(), Entrant{Keys: []string{l.Key()}, Files: 1}); !errors.As(err, &full) || full.Limit != onHost.Key() {
		t.Errorf("a second batch got %v", err)
	}
	leave()
	if _, err := g.Enter(t.Context(), Entrant{Keys: []string{l.Key()}, Files: 1}); err != nil {
		t.Errorf("after the first a batch got %v", err)
	}
}

// A worker asks for shares of the limits whose batches have come to it lately, and no others.
func TestLimiterWantsWhatBatchesAskFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewLimiter(time.Now, 4)
		gpu := tasks.Limit{Scope: tasks.ScopeName, Name: "gpu", InFlight: 1}
		none := []ledger.LimitShare{{Limit: gpu}}
		g.SetShares(none, 0)
		if got := g.Wanted(); len(got) > 0 {
			t.Errorf("wants %q", got)
		}
		ask := func() {
			_, err := g.Enter(t.Context(), Entrant{Keys: []string{gpu.Key(), "name unset"}, Files: 1})
			if err == nil {
				t.Error("got in without a share")
			}
		}
		ask()
		select {
		case <-g.Wanting():
		default:
			t.Error("the worker does not know that it needs a share")
		}
		if !g.Unsettled() {
			t.Error("settled before it has asked for the share")
		}
		if got := g.Wanted(); len(got) != 1 || got[0] != gpu.Key() || g.Unsettled() {
			t.Errorf("wants %q", got)
		}
		ask()
		select {
		case <-g.Wanting():
			t.Error("the worker is to ask for a share that it has asked for")
		default:
		}
		time.Sleep(wantTime + time.Second)
		if got := g.Wanted(); len(got) > 0 {
			t.Errorf("still wants %q", got)
		}
	})
}
