package testkit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// noAnswer is how long a test waits before it concludes that a server does not answer. Only
// tests that expect no answer wait that long.
const noAnswer = 200 * time.Millisecond

func TestRedisServerIsEmptyAfterAKill(t *testing.T) {
	t.Parallel()
	s := NewRedisServer(t, RedisOptions{})
	client := dial(t, s.URL())
	set(t, client)

	s.Kill()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("a killed server answers")
	}

	s.Restart()
	if err := client.Get(t.Context(), "key").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("get: %v, want nothing there", err)
	}
}

func TestPersistentRedisServerKeepsAcknowledgedWrites(t *testing.T) {
	t.Parallel()
	s := NewRedisServer(t, RedisOptions{Persist: true})
	client := dial(t, s.URL())
	set(t, client)

	s.Restart()

	if got, err := client.Get(t.Context(), "key").Result(); err != nil || got != "value" {
		t.Errorf("get: %q, %v", got, err)
	}
}

func TestPausedServerAnswersOnceResumed(t *testing.T) {
	t.Parallel()
	s := NewRedisServer(t, RedisOptions{})
	client := dial(t, s.URL())
	set(t, client)

	s.Pause()
	short, cancel := context.WithTimeout(t.Context(), noAnswer)
	defer cancel()
	if err := client.Conn().Ping(short).Err(); err == nil {
		t.Error("a paused server answers")
	}

	s.Resume()
	if got, err := client.Get(t.Context(), "key").Result(); err != nil || got != "value" {
		t.Errorf("get after resuming: %q, %v", got, err)
	}
}

func TestMySQLServerKeepsCommittedRowsAfterAKill(t *testing.T) {
	t.Parallel()
	s := NewMySQLServer(t)
	query(t, s.URL(), "SELECT 1")
	db := connect(t, s.URL())
	for _, statement := range []string{"USE baler", "CREATE TABLE kept (n INT)", "INSERT INTO kept VALUES (42)"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}

	s.Kill()
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a killed server answers")
	}
	s.Restart()

	if got := query(t, s.URL(), "SELECT n FROM kept"); got != "42" {
		t.Errorf("after the restart: %q", got)
	}
}

func set(t *testing.T, client *redis.Client) {
	t.Helper()
	if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
}
