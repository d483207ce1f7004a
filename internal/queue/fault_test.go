package queue

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// Fault names why Redis accepts no messages, also when Redis answers a ping.
func TestFault(t *testing.T) {
	t.Parallel()
	server := testkit.NewRedisServer(t, testkit.RedisOptions{})
	u, err := url.Parse(server.URL())
	testkit.Must(t, err)
	admin := redis.NewClient(&redis.Options{Addr: u.Host, PoolSize: 1})
	testkit.CloseAtEnd(t, admin)
	for _, c := range []struct {
		name        string
		set, reset  [][]any
		fault, ping string // ping is a part of its error; none: it answers
	}{
		{"well", nil, nil, "", ""},
		{"full", setting("maxmemory", "1"), setting("maxmemory", "0"), "is full", ""},
		{"replica", [][]any{{"replicaof", "127.0.0.1", "1"}}, [][]any{{"replicaof", "no", "one"}}, "is read-only", ""},
		{
			"replica without its primary", append([][]any{{"replicaof", "127.0.0.1", "1"}}, setting("replica-serve-stale-data", "no")...),
			append([][]any{{"replicaof", "no", "one"}}, setting("replica-serve-stale-data", "yes")...), "is not ready", "connect to the primary",
		},
		{"no replicas", setting("min-replicas-to-write", "1"), setting("min-replicas-to-write", "0"), "accepts no writes", ""},
		{"password", setting("requirepass", "hush"), setting("requirepass", ""), "refuses this account", "correct the user and password"},
		{"clients", setting("maxclients", "1"), setting("maxclients", "100"), "has no connection left", "max number of clients reached (raise maxclients"},
	} {
		do := func(commands [][]any) {
			t.Helper()
			for _, args := range commands {
				testkit.Must(t, admin.Do(t.Context(), args...).Err())
			}
		}
		do(c.set)
		q, err := Connect(config.RedisSettings{URL: server.URL()}, nil)
		testkit.Must(t, err)
		if got := q.Fault(t.Context()); got != c.fault {
			t.Errorf("%s: the fault is %q", c.name, got)
		}
		err = q.Ping(t.Context())
		if (err == nil) != (c.ping == "") || err != nil && (!strings.Contains(err.Error(), c.ping) || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: ping gives %v", c.name, err)
		}
		testkit.Must(t, q.Close())
		do(c.reset)
	}
}

func setting(name, value string) [][]any { return [][]any{{"config", "set", name, value}} }

// Redis in protected mode sends an error on each connection from another host, and closes
// it.
func TestGreetingIsCutToItsFirstSentence(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, listener)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, err = conn.Write([]byte("-DENIED Redis is running in protected mode because … . In this mode " + strings.Repeat("x", 2000) + "\r\n"))
			if conn.Close() != nil || err != nil {
				return
			}
		}
	}()
	q, err := Connect(config.RedisSettings{URL: "redis://" + listener.Addr().String()}, nil)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, q)
	err = q.Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "refuses connections from other hosts: ") || strings.Contains(err.Error(), "xx") {
		t.Errorf("ping gives %v", err)
	}
}
