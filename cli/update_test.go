package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
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
	s.must(exitOK, "pause", id) // so that it does not end
	s.env = append(s.env, "BALER_ROOTS="+s.path("in"))
	url := s.served()
	contains(t, "through a server", s.must(exitOK, "update", id, "--weight", "3", "--server", url).stdout, "Transfer 1 has the weight 3 and no deadline, and no number")
	contains(t, "an empty deadline", s.must(exitUsage, "update", id, "--deadline", "").stderr, "--deadline is empty")
	for _, through := range [][]string{nil, {"--server", url}} {
		late := s.must(exitError, append([]string{"update", id, "--deadline", "2026-01-01T00:00:00Z"}, through...)...).stderr
		contains(t, "a deadline in the past", late, "the deadline has passed: it is 2026-01-01T00:00:00Z", "give a later one, or none")
		late = s.must(exitError, append([]string{"submit", s.path("in"), "--deadline", "2026-01-01T00:00:00Z"}, through...)...).stderr
		contains(t, "a deadline in the past", late, "the deadline has passed: it is 2026-01-01T00:00:00Z", "give a later one, or none")
	}
	contains(t, "a schedule", s.must(exitUsage, "schedule", "add", "x", "--cron", "@daily", "--deadline", "2030-01-01T00:00:00Z", s.path("in")).stderr, "give how long each transfer may take")
	contains(t, "a zone", s.must(exitOK, "update", id, "--json", "--deadline", "2030-03-31T02:30:00+02:00", "--server", url).stdout, `"deadline_at":"2030-03-31T00:30:00Z"`)
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

// Limits that nobody has set are named before they are missed, also through a server.
func TestUnsetLimitsAreNamed(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	own := s.file("own.yaml", "name: own\nsteps: [{handler: checksum, limits: [gpu, licence]}]\n")
	s.env = append(s.env, "BALER_ROOTS="+s.path("in"))
	url := s.served()
	s.must(exitOK, "limit", "--name", "licence", "--in-flight", "2")
	for _, through := range [][]string{nil, {"--server", url}} {
		for _, command := range [][]string{{"recipe", "explain", own, s.path("in")}, {"submit", "--recipe", own, s.path("in")}} {
			said := s.must(exitOK, append(command, through...)...).stderr
			contains(t, "what is not set", said, "the recipe uses the limit gpu, which is not set")
			if strings.Contains(said, "the limit licence") {
				t.Errorf("%v: a limit that is set:\n%s", command, said)
			}
		}
	}
	s.must(exitOK, "limit", "--name", "gpu", "--in-flight", "1")
	for _, command := range [][]string{{"recipe", "explain", own, s.path("in")}, {"submit", "--recipe", own, s.path("in")}, {"submit", s.path("in")}} {
		if said := s.must(exitOK, append(command, "--server", url)...).stderr; strings.Contains(said, "limit") {
			t.Errorf("all are set, and %v says\n%s", command, said)
		}
	}
	said := s.must(exitOK, "recipe", "explain", own, s.path("in"), "--server", "http://127.0.0.1:1").stderr
	contains(t, "no answer", said, "it is not known whether the limits of the recipe are set")
}

// A limit or weight with a mistyped name protects nothing: it is set, because workers may come
// later, and a note says so, on the terminal, in JSON, through a server, and in the list.
func TestLimitsOnNothingAreNoted(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_ROOTS="+s.dir)
	url := s.served()
	testkit.Eventually(t, time.Minute, func() error { _, err := s.worker(); return err })
	for _, through := range [][]string{nil, {"--server", url}} {
		said := func(args ...string) string { return s.must(exitOK, append(args, through...)...).stderr }
		contains(t, "a handler", said("limit", "--handler", "checksun", "--per-host", "1"),
			`note: the limit on handler checksun: no live worker has the handler "checksun", so it applies to nothing until one does; did you mean "checksum"?`)
		contains(t, "a queue", said("limit", "--queue", "defalt", "--in-flight", "1"), `no live worker serves the queue "defalt"`, `did you mean "default"?`)
		contains(t, "a weight", said("queue", "weight", "nosuch", "3"), `no live worker serves the queue "nosuch", so it applies to nothing until one does`)
		for _, right := range [][]string{
			{"limit", "--handler", "checksum", "--per-host", "1"}, {"limit", "--queue", "default", "--in-flight", "1"}, {"queue", "weight", "default", "3"},
			{"limit", "--in-flight", "9"}, {"limit", "--handler", "checksun", "--per-host", "none"},
		} {
			if note := said(right...); strings.Contains(note, "note:") {
				t.Errorf("%v: %s", right, note)
			}
		}
		contains(t, "a name that nothing uses", said("limit", "--name", "gpu", "--in-flight", "1"),
			`no recipe of an open transfer and no configuration here uses this name; it applies to steps that say "limits: [gpu]"`)
		if list := said("limit", "--name", "gpu"); strings.Contains(list, "note:") {
			t.Errorf("the list: %s", list)
		}
		contains(t, "a name like another", said("limit", "--name", "gpuu", "--in-flight", "1"),
			`it applies to steps that say "limits: [gpuu]"; did you mean "gpu"?`)
		contains(t, "JSON", s.must(exitOK, append([]string{"limit", "--handler", "nosuch", "--per-host", "1", "--json"}, through...)...).stdout,
			`"note":"no live worker has the handler \"nosuch\", so it applies`)
		contains(t, "the list", said("limit"), "note: the limit on handler nosuch: no live worker")
		contains(t, "the list in JSON", s.must(exitOK, append([]string{"limit", "--json"}, through...)...).stdout, `"note":"no live worker has the handler`)
		s.must(exitOK, "limit", "--name", "gpuu", "--in-flight", "none")
	}
	contains(t, "pause", s.must(exitError, "queue", "pause", "nosuch", "--server", url).stderr, `there is no queue "nosuch"`)
}
