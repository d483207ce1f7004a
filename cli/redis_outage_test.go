package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// A Redis that answers but takes no writes is an outage: transfers go on soon after it
// has ended, and the log has a line for its begin and few others, however often a worker
// has tried meanwhile.
func TestRedisThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct{ begin, end []any }{
		"full":      {[]any{"CONFIG", "SET", "maxmemory", "1mb"}, []any{"CONFIG", "SET", "maxmemory", "0"}},
		"read-only": {[]any{"REPLICAOF", "127.0.0.1", "1"}, []any{"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			server := testkit.NewRedisServer(t, testkit.RedisOptions{})
			s.env = append(s.env, "BALER_REDIS_URL="+server.URL(), "BALER_ROOTS="+s.dir)
			for i := range 40 {
				s.file(fmt.Sprintf("in/%d.txt", i), "alpha")
			}
			_, stderr, stop := s.start("worker", "--log-level", "debug")
			testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker started") })
			redis := testkit.RedisClient(t, server.URL(), nil)
			testkit.Must(t, redis.Do(t.Context(), fault.begin...).Err())
			id := strings.TrimSpace(s.must(exitOK, "submit", "--via", "bulk", "--recipe", "checksum", s.path("in")).stdout)
			testkit.Eventually(t, time.Minute, func() error {
				if n := strings.Count(stderr.String(), `msg="asynq: Dequeue error`); n < 5 {
					return fmt.Errorf("%d failures so far", n)
				}
				return nil
			})
			testkit.Must(t, redis.Do(t.Context(), fault.end...).Err())
			ended := time.Now()
			s.must(exitOK, "status", "--watch", id)
			if took := time.Since(ended); took > 30*time.Second {
				t.Errorf("the transfer went on only after %s", took)
			}
			log := stop().stderr
			begins, warnings := strings.Count(log, `level=WARN msg="Redis fails;`), strings.Count(log, "level=WARN")+strings.Count(log, "level=ERROR")
			if begins != 1 || warnings > 3 {
				t.Errorf("%d lines about the begin, %d warnings:\n%s", begins, warnings, log)
			}
		})
	}
}
