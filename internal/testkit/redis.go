package testkit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leaseTime is longer than any test. A lease expires only when its process was killed.
	leaseTime = time.Hour

	// databaseWait is how long a test waits while all databases are in use.
	databaseWait = 3 * time.Minute

	// defaultDatabases is how many databases Redis has by default: assumed of a
	// server that does not answer CONFIG GET.
	defaultDatabases = 16

	leaseKey   = "baler:testkit:database:"
	counterKey = "baler:testkit:databases"
)

var errAllLeased = errors.New("every database is in use by a test")

// Redis returns the URL of an empty Redis database that no other test uses, in this process
// or another. It is emptied when the test ends. When all databases of the server are in use,
// the test waits for one.
func Redis(t testing.TB) string {
	t.Helper()
	address, err := shared.redisURL(t.Context())
	if err != nil {
		t.Fatalf("redis: %v", err)
	}
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("redis: %v", err)
	}
	register := clientOf(t, options, 0)
	total := countDatabases(t.Context(), register)
	number := awaitLease(t, register, total)
	own := clientOf(t, options, number)
	if err := own.FlushDB(t.Context()).Err(); err != nil {
		t.Fatalf("redis: empty database %d: %v", number, err)
	}
	t.Cleanup(func() { release(t, register, own, number) })
	return databaseURL(t, address, strconv.Itoa(number))
}

// RedisClient connects to the database of a URL until the test ends. A change that
// is not nil may edit the options from the URL.
func RedisClient(t testing.TB, address string, change func(*redis.Options)) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("redis: %v", err)
	}
	if change != nil {
		change(options)
	}
	return clientOf(t, options, options.DB)
}

// clientOf connects to one database until the test ends.
func clientOf(t testing.TB, options *redis.Options, number int) *redis.Client {
	t.Helper()
	o := *options
	o.DB = number
	client := redis.NewClient(&o)
	CloseAtEnd(t, client)
	return client
}

// countDatabases reads the number of databases, which hosted servers may not allow.
func countDatabases(ctx context.Context, c *redis.Client) int {
	config, err := c.ConfigGet(ctx, "databases").Result()
	if err != nil {
		return defaultDatabases
	}
	n, err := strconv.Atoi(config["databases"])
	if err != nil {
		return defaultDatabases
	}
	return n
}

// awaitLease waits while every database is in use. Any other error ends the test.
func awaitLease(t testing.TB, c *redis.Client, total int) int {
	t.Helper()
	var number int
	Eventually(t, databaseWait, func() error {
		n, err := lease(t.Context(), c, total, t.Name())
		if err != nil && !errors.Is(err, errAllLeased) {
			t.Fatalf("redis: %v", err)
		}
		number = n
		return err
	})
	return number
}

// lease takes the next free database, in a circle. Database 0 holds the leases
// and is never leased.
func lease(ctx context.Context, c *redis.Client, total int, owner string) (int, error) {
	if total < 2 {
		return 0, errors.New("the server has one database only: tests need one each")
	}
	for range total - 1 {
		turn, err := c.Incr(ctx, counterKey).Result()
		if err != nil {
			return 0, fmt.Errorf("count databases: %w", err)
		}
		number := 1 + int(turn%int64(total-1))
		err = c.SetArgs(ctx, leaseKey+strconv.Itoa(number), owner, redis.SetArgs{Mode: "NX", TTL: leaseTime}).Err()
		if err == nil {
			return number, nil
		}
		if !errors.Is(err, redis.Nil) {
			return 0, fmt.Errorf("lease database %d: %w", number, err)
		}
	}
	return 0, errAllLeased
}

// release empties a database and ends its lease.
func release(t testing.TB, register, own *redis.Client, number int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := own.FlushDB(ctx).Err(); err != nil {
		t.Errorf("redis: empty database %d: %v", number, err)
	}
	if err := register.Del(ctx, leaseKey+strconv.Itoa(number)).Err(); err != nil {
		t.Errorf("redis: release database %d: %v", number, err)
	}
}
