package cli

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/testkit"
)

// redisFault makes a Redis answer with errors: begin starts that, and end ends it.
type redisFault struct {
	begin, end func(t *testing.T, c *redis.Client)
	failures   int // of a worker that asks for batches, before the end
}

// commands runs commands one after another.
func commands(all ...[]any) func(*testing.T, *redis.Client) {
	return func(t *testing.T, c *redis.Client) {
		t.Helper()
		for _, command := range all {
			testkit.Must(t, c.Do(t.Context(), command...).Err())
		}
	}
}

// unsavable is what a full disk does: a snapshot that cannot be written (MISCONF).
func unsavable(t *testing.T, c *redis.Client) {
	t.Helper()
	commands([]any{"CONFIG", "SET", "dir", "/proc"}, []any{"CONFIG", "SET", "save", "3600 1"}, []any{"BGSAVE"})(t, c)
	testkit.Eventually(t, time.Minute, func() error {
		info, err := c.Info(t.Context(), "persistence").Result()
		if err != nil {
			return err
		}
		return lacks(info, "rdb_last_bgsave_status:err")
	})
}

// loading makes Redis load so many keys so slowly that it takes ten seconds.
func loading() redisFault {
	loaded := make(chan error, 1)
	return redisFault{
		begin: func(t *testing.T, c *redis.Client) {
			t.Helper()
			for i := range 500 {
				testkit.Must(t, c.Set(t.Context(), fmt.Sprintf("other:%d", i), rand.Text()+strings.Repeat(rand.Text(), 80), 0).Err())
			}
			commands([]any{"CONFIG", "SET", "key-load-delay", "20000"}, []any{"CONFIG", "SET", "loading-process-events-interval-bytes", "1024"})(t, c)
			patient := testkit.RedisClient(t, "redis://"+c.Options().Addr, func(o *redis.Options) { o.ReadTimeout, o.MaxRetries = -1, -1 })
			go func() { loaded <- patient.Do(t.Context(), "DEBUG", "RELOAD").Err() }()
			testkit.Eventually(t, time.Minute, func() error {
				if err := c.Ping(t.Context()).Err(); !redis.HasErrorPrefix(err, "LOADING") {
					return fmt.Errorf("it does not load yet: %w", err)
				}
				return nil
			})
		},
		end: func(t *testing.T, _ *redis.Client) {
			t.Helper()
			testkit.Must(t, <-loaded)
		},
		failures: 2, // the client itself tries again while Redis loads
	}
}

// A Redis that answers but accepts no writes, or no commands at all, is an outage: transfers continue soon after it
// has ended, and the log has a line for its begin and few others, however often a worker
// has tried meanwhile.
func TestRedisThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]redisFault{
		"full":         {commands([]any{"CONFIG", "SET", "maxmemory", "1mb"}), commands([]any{"CONFIG", "SET", "maxmemory", "0"}), 5},
		"read-only":    {commands([]any{"REPLICAOF", "127.0.0.1", "1"}), commands([]any{"REPLICAOF", "NO", "ONE"}), 5},
		"on full disk": {unsavable, commands([]any{"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"}), 5},
		"loading":      loading(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			server := testkit.NewRedisServer(t, testkit.RedisOptions{Args: []string{
				"--enable-debug-command", "yes", "--enable-protected-configs", "yes",
			}})
			s.env = append(s.env, "BALER_REDIS_URL="+server.URL(), "BALER_ROOTS="+s.dir)
			for i := range 40 {
				s.file(fmt.Sprintf("in/%d.txt", i), "alpha")
			}
			_, stderr, stop := s.start("worker", "--log-level", "debug")
			testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker started") })
			client := testkit.RedisClient(t, server.URL(), nil)
			fault.begin(t, client)
			id := strings.TrimSpace(s.must(exitOK, "submit", "--via", "bulk", "--recipe", "checksum", s.path("in")).stdout)
			testkit.Eventually(t, time.Minute, func() error {
				if n := strings.Count(stderr.String(), `msg="asynq: Dequeue error`); n < fault.failures {
					return fmt.Errorf("%d failures so far", n)
				}
				return nil
			})
			fault.end(t, client)
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
