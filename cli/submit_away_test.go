package cli

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// Files have their rows before they have messages: by bulk, a submission needs no Redis.
func TestSubmitWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.env = append(s.env, "BALER_DATABASE_URL="+testkit.MySQL(t), "BALER_REDIS_URL=redis://127.0.0.1:1", "BALER_ROOTS="+s.dir)
	r := s.must(exitOK, "submit", s.path("in"))
	contains(t, "warning", r.stderr, "warning: Redis at redis://127.0.0.1:1", "does not answer", "The files are registered; workers process them")
	id := strings.TrimSpace(r.stdout)
	if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != 1 || sum.State != "running" {
		t.Errorf("registered as %+v", sum)
	}
	for _, args := range [][]string{{"submit", "--via", "group", s.path("in")}, {"submit", "-"}} {
		s.from = strings.NewReader(s.path("in/a.txt") + "\n")
		contains(t, strings.Join(args, " "), s.must(exitError, args...).stderr, "does not answer", "with --via bulk, submit needs no Redis")
	}
	if n := strings.Count(s.must(exitOK, "status", "--json").stdout, "\n"); n != 1 {
		t.Errorf("%d transfers are there, want 1", n)
	}
	// Redis is back: a worker finds them.
	s.env = append(s.env, "BALER_REDIS_URL="+testkit.Redis(t))
	_, _, stop := s.start("worker")
	defer stop()
	s.must(exitOK, "status", "--watch", id)
}
