package cli

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestWorkerRefusesARedisThatEvicts(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	server := testkit.NewRedisServer(t, testkit.RedisOptions{Args: []string{"--maxmemory-policy", "volatile-lru"}})
	s.env = append(s.env, "BALER_REDIS_URL="+server.URL(), "BALER_ROOTS="+s.dir)
	for _, args := range [][]string{{"worker"}, {"serve", "--worker", "--listen", "127.0.0.1:0"}} {
		r := s.must(exitError, args...)
		contains(t, args[0], r.stderr, "error: start worker: Redis evicts messages when its memory is full: maxmemory-policy is volatile-lru",
			"run 'redis-cli CONFIG SET maxmemory-policy noeviction'", "redis.allow_eviction")
	}
	s.env = append(s.env, "BALER_REDIS_ALLOW_EVICTION=true")
	_, stderr, stop := s.start("worker")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker started") })
	stop()
}
