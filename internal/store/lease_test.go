package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestLease(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		acquire := func(holder string, want bool) {
			t.Helper()
			if held, err := b.AcquireLease(t.Context(), "dispatcher", holder, 5*time.Second); err != nil || held != want {
				t.Errorf("%s holds the lease: %v, %v; want %v", holder, held, err, want)
			}
		}
		var mu sync.Mutex
		var holders []int
		for round := range 5 {
			holders = nil
			testkit.AtOnce(t, 8, func(i int) error {
				held, err := b.AcquireLease(t.Context(), fmt.Sprint("lease-", round), fmt.Sprint("holder-", i), time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if held {
					holders = append(holders, i)
				}
				return err
			})
			if len(holders) != 1 {
				t.Fatalf("round %d: held by %v", round, holders)
			}
		}
		acquire("a", true)
		acquire("b", false)
		b.clock.Advance(4 * time.Second)
		acquire("a", true) // renewed
		b.clock.Advance(4 * time.Second)
		acquire("b", false)
		b.clock.Advance(time.Second + time.Microsecond)
		acquire("b", true) // expired
		acquire("a", false)
		if err := b.ReleaseLease(t.Context(), "dispatcher", "a"); err != nil {
			t.Fatal(err)
		}
		acquire("c", false) // a had nothing to release
		if err := b.ReleaseLease(t.Context(), "dispatcher", "b"); err != nil {
			t.Fatal(err)
		}
		acquire("c", true)
	})
}
