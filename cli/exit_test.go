package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// A command that a signal ended exits as interrupted, whatever its statement was told.
func TestErrorsOfAnInterruptedCommand(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("migrate: %w", sqlite3.INTERRUPT), true},
		{fmt.Errorf("run: %w", context.Canceled), true},
		{errors.New("no such table"), false},
	} {
		if got := isInterrupt(stopped, c.err); got != c.want {
			t.Errorf("after a signal, %v: %t", c.err, got)
		}
		if isInterrupt(t.Context(), c.err) {
			t.Errorf("without a signal, %v is an interrupt", c.err)
		}
	}
}
