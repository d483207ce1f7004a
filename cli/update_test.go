package cli

import (
	"strings"
	"testing"
)

func TestUpdateTransfer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	id := strings.TrimSpace(s.must(exitOK, "submit", s.path("in")).stdout)
	equal(t, "update", s.must(exitOK, "update", id, "--weight", "9", "--stop-after", "5%").stdout,
		"Transfer 1 has the weight 9 and no deadline, and stops after 5% of failures.\n")
	equal(t, "a number", s.must(exitOK, "update", id, "--stop-after", "1").stdout, "Transfer 1 has the weight 9 and no deadline, and stops after 1 failure.\n")
	equal(t, "none", s.must(exitOK, "update", id, "--stop-after", "none").stdout, "Transfer 1 has the weight 9 and no deadline, and no number of failures stops it.\n")
	contains(t, "JSON", s.must(exitOK, "update", id, "--stop-after", "none", "--json").stdout, `"weight":9`)
	contains(t, "nothing", s.must(exitUsage, "update", id).stderr, "there is nothing to change")
	contains(t, "no weight", s.must(exitUsage, "update", id, "--weight", "101").stderr, "a weight from 1 to 100, not 101")
	contains(t, "weight 0", s.must(exitUsage, "update", id, "--weight", "0").stderr, "a weight from 1 to 100, not 0")
	contains(t, "audit", s.must(exitOK, "audit", "--json").stdout, `"action":"change a transfer","target":"`+id+` --stop-after none"`)
	url := s.served()
	contains(t, "through a server", s.must(exitOK, "update", id, "--weight", "3", "--server", url).stdout, "Transfer 1 has the weight 3 and no deadline, and no number")
	s.must(exitOK, "cancel", id)
	for _, through := range [][]string{nil, {"--server", url}} {
		s.must(exitError, append([]string{"update", id, "--weight", "3"}, through...)...)
	}
}

// An address that names no host is refused as such.
func TestNotifyWrongAddress(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	contains(t, "no host", s.must(exitError, "notify", "test", "slack+https://").stderr, "error: notify test: the address is not an HTTP address")
}
