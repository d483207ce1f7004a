package admission

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestThrottledListsLimitsThatKeepBatchesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(time.Now, 0)
		l.SetShares([]ledger.LimitShare{{Limit: tasks.Limit{Scope: tasks.ScopeAll, FilesPerSecond: 1}, Rate: 1}}, 0)
		key := tasks.LimitKey(tasks.ScopeAll, "")
		leave, err := l.Enter(t.Context(), Entrant{Keys: []string{key}, Files: 10})
		if err != nil {
			t.Fatal(err)
		}
		expect := func(when string, within time.Duration, want ...string) {
			t.Helper()
			if got := l.Throttled(within); !slices.Equal(got, want) {
				t.Errorf("%s: throttled by %q, want %q", when, got, want)
			}
		}
		expect("before", time.Minute)
		if _, err := l.Enter(t.Context(), Entrant{Keys: []string{key}, Files: 10}); err == nil {
			t.Fatal("the limit let two batches in")
		}
		time.Sleep(5 * time.Second)
		expect("after", time.Minute, key)
		expect("recently", 4*time.Second)
		leave()
	})
}
