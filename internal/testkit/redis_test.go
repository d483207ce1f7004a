package testkit

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

func dial(t *testing.T, address string) *redis.Client {
	t.Helper()
	return RedisClient(t, address, func(o *redis.Options) {
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	})
}

func TestRedisGivesEachTestAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	one, two := Redis(t), Redis(t)
	if one == two {
		t.Fatalf("both got %s", one)
	}
	if err := dial(t, one).Set(t.Context(), "key", "one", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, two).Get(t.Context(), "key").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("the second database answers %v for a key of the first", err)
	}
}

func TestRedisReleasesADatabaseEmpty(t *testing.T) {
	var address string
	t.Run("a test that leaves something behind", func(t *testing.T) {
		address = Redis(t)
		if err := dial(t, address).Set(t.Context(), "key", "left", 0).Err(); err != nil {
			t.Fatal(err)
		}
	})
	if n, err := dial(t, address).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys are left, error %v", n, err)
	}
}

func TestLeaseGivesEachDatabaseToOneTest(t *testing.T) {
	t.Parallel()
	const total = 16
	address := NewRedisServer(t, RedisOptions{}).URL()
	register := dial(t, address)

	owners := make([]int, total)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 * total {
		all.Go(func() {
			number, err := lease(context.WithoutCancel(t.Context()), register, total, t.Name())
			if errors.Is(err, errAllLeased) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			owners[number]++
		})
	}
	all.Wait()

	for number, n := range owners {
		want := 1
		if number == 0 {
			want = 0 // database 0 holds the leases
		}
		if n != want {
			t.Errorf("database %d was given to %d, want %d", number, n, want)
		}
	}
	release(t, register, dial(t, databaseURL(t, address, "3")), 3)
	if number, err := lease(t.Context(), register, total, t.Name()); err != nil || number != 3 {
		t.Errorf("after database 3 came back: %d, %v", number, err)
	}
}
