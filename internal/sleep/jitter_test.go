package sleep_test

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

func TestJitterKeepsHalfToAll(t *testing.T) {
	for range 1000 {
		if d := sleep.Jitter(10 * time.Second); d < 5*time.Second || d > 10*time.Second {
			t.Fatalf("%s", d)
		}
	}
}
