package systemtest

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what another goroutine brings about.
func eventually(t testing.TB, done func() error) {
	t.Helper()
	testkit.Eventually(t, time.Minute, done)
}
