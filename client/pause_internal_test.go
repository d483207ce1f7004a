package client

import (
	"errors"
	"testing"
)

// A server may be away for days.
func TestPausesStayInTheirBounds(t *testing.T) {
	t.Parallel()
	for attempt := 1; attempt < 100_000; attempt += attempt/10 + 1 {
		if d, again := pause(errors.New("refused"), attempt); !again || d < firstPause/2 || d > mostPause {
			t.Fatalf("attempt %d: %v, %v", attempt, d, again)
		}
	}
}
