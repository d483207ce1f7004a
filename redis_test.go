package baler_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// flush empties the test's Redis database.
func flush(t *testing.T, url string) {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer func() { _ = c.Close() }() // nothing is left to do with it
	if err := c.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}
