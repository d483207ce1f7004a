package cli

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// A run waits at its second step, says for what, and goes on when another process approves.
func TestApproveAndReject(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("r.yaml", "name: r\nsteps:\n  - handler: checksum\n  - handler: noop\n    name: go\n    approve: true\n")
	contains(t, "no transfer", s.must(exitError, "approve", "1").stderr, "error: ")
	waits := func(ref string) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			return lacks(s.do("status", ref).stdout, "\nWaiting for: a person to approve step go, or to reject it; files that have come to it: 1\n")
		})
	}
	_, _, stop := s.start("run", "--recipe", s.path("r.yaml"), s.path("in"))
	waits("1")
	contains(t, "hint", s.must(exitOK, "status", "1").stdout, "Step go waits for approval: 'baler approve 1' lets 1 file run, 'baler reject 1' cancels")
	stop() // a restart keeps it
	_, _, stop = s.start("run", "--recipe", s.path("r.yaml"), s.path("in"))
	waits("1")
	contains(t, "wrong step", s.must(exitError, "approve", "1", "checksum").stderr, "no such step waits for approval")
	contains(t, "approve", s.must(exitOK, "approve", "1", "--comment", "seen").stdout, "Step go of transfer 1 is approved: its files run.\n")
	testkit.Eventually(t, time.Minute, func() error { return lacks(s.must(exitOK, "status", "1").stdout, "Transfer 1 completed\n") })
	stop()
	contains(t, "JSON", s.must(exitOK, "status", "1", "--json").stdout, `"approval":"approved"`)
	contains(t, "too late", s.must(exitError, "reject", "1").stderr, "no such step waits for approval")
	contains(t, "audit", s.must(exitOK, "audit", "--json").stdout, `"action":"approved a step"`, `"detail":"seen"`)

	s.file("in/b.txt", "beta")
	s.must(exitOK, "submit", "--recipe", s.path("r.yaml"), s.path("in/b.txt"))
	contains(t, "reject", s.must(exitOK, "reject", "latest", "--comment", "no").stdout, "Step go of transfer 2 is rejected: the transfer is canceled.\n")
	contains(t, "rejected", s.must(exitOK, "status", "2").stdout, "canceled")
}
