package testkit

import (
	"io"
	"testing"
)

// CloseAtEnd closes c when the test ends, and fails it when that fails.
func CloseAtEnd(t testing.TB, c io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close %T: %v", c, err)
		}
	})
}
