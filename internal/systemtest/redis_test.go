package systemtest

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// flush empties the test's Redis database.
func flush(t *testing.T, url string) {
	t.Helper()
	if err := testkit.RedisClient(t, url, nil).FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}
