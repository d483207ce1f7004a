package testkit

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// behindProxy connects to a database through a proxy and directly.
func behindProxy(t *testing.T) (proxy *FaultyProxy, through, direct *redis.Client) {
	t.Helper()
	address := Redis(t)
	proxy = Proxy(t, address)
	through, direct = dial(t, proxy.URL()), dial(t, address)
	set(t, through)
	return proxy, through, direct
}

func TestProxyDelaysReplies(t *testing.T) {
	t.Parallel()
	proxy, through, _ := behindProxy(t)
	const delay = 100 * time.Millisecond

	proxy.Latency(delay)

	start := time.Now()
	if err := through.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < delay {
		t.Errorf("took %v, want %v at least", took, delay)
	}
}

func TestProxyLosesTheReplyButNotTheRequest(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*FaultyProxy){
		"reset":   func(p *FaultyProxy) { p.Reset() },
		"timeout": func(p *FaultyProxy) { p.Timeout(2 * time.Second) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, through, direct := behindProxy(t)

			fault(proxy)
			if err := through.Incr(t.Context(), "counter").Err(); err == nil {
				t.Error("the reply came through")
			}
			if n, err := direct.Get(t.Context(), "counter").Int(); err != nil || n != 1 {
				t.Errorf("the counter is %d, %v; want 1", n, err)
			}

			proxy.Clear()
			Eventually(t, time.Minute, func() error { return through.Ping(t.Context()).Err() })
		})
	}
}

func TestProxySilencesBothDirections(t *testing.T) {
	t.Parallel()
	proxy, through, direct := behindProxy(t)

	proxy.Silence()

	short, cancel := context.WithTimeout(t.Context(), noAnswer)
	defer cancel()
	if err := through.Incr(short, "counter").Err(); err == nil {
		t.Error("the reply came through")
	}
	if err := direct.Get(t.Context(), "counter").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("the request came through: %v", err)
	}
}

func TestProxyGoesDownAndComesUpAtTheSameAddress(t *testing.T) {
	t.Parallel()
	proxy, through, _ := behindProxy(t)
	before := proxy.URL()

	proxy.Down()
	if err := through.Ping(t.Context()).Err(); err == nil {
		t.Error("a proxy that is down passes data on")
	}
	proxy.Up()

	if proxy.URL() != before {
		t.Errorf("moved from %s to %s", before, proxy.URL())
	}
	Eventually(t, time.Minute, func() error { return through.Ping(t.Context()).Err() })
}

// endlessServer starts a server that sends without end, and returns its URL.
func endlessServer(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		for data := make([]byte, 64<<10); err == nil; {
			_, err = conn.Write(data)
		}
		if conn != nil {
			_ = conn.Close() // the peer has closed it
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return "tcp://" + listener.Addr().String()
}

func TestGoroutinesOfAFaultAreIgnored(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("a fault amid data", func(t *testing.T) {
		proxy := Proxy(t, endlessServer(t))
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(proxy.URL(), "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.ReadFull(conn, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		proxy.Reset()
		if _, err := io.Copy(io.Discard, conn); err == nil {
			t.Log("the connection ended in order")
		}
	})
	if err := findLeaks(leakTimeout, before); err != nil {
		t.Error(err)
	}
}
