package systemtest

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// eventually waits until done returns nil.
func eventually(t testing.TB, done func() error) {
	t.Helper()
	testkit.Eventually(t, time.Minute, done)
}
