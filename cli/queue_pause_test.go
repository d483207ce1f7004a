package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// Redis may lose everything: a queue that a person has paused stays paused until a person
// resumes it.
func TestPausedQueueOutlivesRedis(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	redis := testkit.RedisClient(t, s.setting("BALER_REDIS_URL"), nil)
	_, _, stop := s.start("worker", "--queues", "default=1,low=1")
	defer stop()
	s.must(exitOK, "submit", "--wait", s.path("in"))
	s.must(exitOK, "queue", "pause", "default")

	testkit.Must(t, redis.FlushDB(t.Context()).Err())
	contains(t, "the list without Redis' word", s.must(exitOK, "queue", "list").stdout, "default  paused ")
	paused := func() bool { return redis.Exists(t.Context(), "asynq:{default}:paused").Val() == 1 }
	testkit.Eventually(t, 20*time.Second, func() error {
		if !paused() {
			return errors.New("the queue is not paused again")
		}
		return nil
	})
	id := strings.TrimSpace(s.must(exitOK, "submit", s.path("in")).stdout)
	s.says(t, id, "waiting", "a person to resume queue default, which is paused")
	s.must(exitOK, "submit", "--wait", "--queue", "low", s.path("in"))

	s.must(exitOK, "queue", "resume", "default")
	s.must(exitOK, "status", "--watch", id)
	testkit.Must(t, redis.FlushDB(t.Context()).Err())
	s.must(exitOK, "submit", "--wait", s.path("in"))
	if paused() {
		t.Error("it is paused after it was resumed")
	}
}
