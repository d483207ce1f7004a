package cli

import (
	"strings"
	"testing"
)

// Who submits to a queue that nobody serves learns it at once, also without waiting.
func TestSubmitToAQueueThatNobodyServes(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	contains(t, "no worker", s.must(exitOK, "submit", s.path("in"), "--queue", "Default").stderr,
		"note: no worker is running: start one with 'baler worker --queues Default=1'.")
	_, _, stop := s.start("worker")
	defer stop()
	typo := s.must(exitOK, "submit", s.path("in"), "--queue", "Default")
	contains(t, "a typo", typo.stderr, "note: no worker serves queue Default; served: default. "+
		"Start one with 'baler worker --queues Default=1', or cancel the transfer.")
	if right := s.must(exitOK, "submit", s.path("in")); strings.Contains(right.stderr, "note") {
		t.Errorf("for a queue that is served: %s", right.stderr)
	}
	s.file("in.jsonl", `{"a":1}`)
	lines := s.must(exitOK, "load", s.path("in.jsonl"), "--into", "t", "--create", "--queue", "Default", "--wait=false")
	contains(t, "load", lines.stderr, "note: no worker serves queue Default; served: default.")
}
