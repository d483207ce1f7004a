package testkit

import (
	"io"
	"testing"
)

// CloseAtEnd closes c when the test ends, and fails the test when Close does.
func CloseAtEnd(t testing.TB, c io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close %T: %v", c, err)
		}
	})
}
