package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// On a host whose clock is wrong, ages and durations are by the database's clock.
func TestAgesOnAHostWithAWrongClock(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	_, _, stop := s.start("worker")
	defer stop()
	s.must(exitOK, "submit", s.path("in"), "--wait")
	s.must(exitOK, "submit", s.path("in"), "--queue", "nobody") // does not end

	for _, off := range []time.Duration{8 * time.Hour, -8 * time.Hour} {
		see := func(args ...string) string {
			t.Helper()
			var stdout, stderr buffer
			p := newProgram(s.env)
			p.hostClock = func() time.Time { return time.Now().Add(off) }
			if code := p.execute(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != exitOK {
				t.Fatalf("%v ended with %d:\n%s", args, code, stderr.String())
			}
			return stdout.String()
		}
		for _, args := range [][]string{{"status"}, {"status", "latest"}, {"workers"}} {
			if out := see(args...); strings.Contains(out, "7h") || strings.Contains(out, "8h") {
				t.Errorf("%v of a host %v ahead prints\n%s", args, off, out)
			}
		}
		var sum struct {
			Seconds float64 `json:"seconds"`
		}
		if err := json.Unmarshal([]byte(see("status", "latest", "--json")), &sum); err != nil || sum.Seconds < 0 || sum.Seconds > 3600 {
			t.Errorf("%v ahead: it takes %v s, %v", off, sum.Seconds, err)
		}
	}
}
