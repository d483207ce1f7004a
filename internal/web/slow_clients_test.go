package web_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/web"
)

// pipes is a listener whose clients are in the same process.
type pipes struct {
	clients chan net.Conn
	done    chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.clients:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// connect returns the client's end of a connection, once the server has taken it.
func (p *pipes) connect() net.Conn {
	client, server := net.Pipe()
	p.clients <- server
	return client
}

// running runs a server in a bubble until the test ends.
func running(t *testing.T, o web.Options) *pipes {
	t.Helper()
	return runningOn(t, stocked(500), o)
}

// runningOn is running on another store.
func runningOn(t *testing.T, transfers web.TransferStore, o web.Options) *pipes {
	t.Helper()
	o.Transfers = transfers
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipes()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, p) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestClientsThatTrickleAreDisconnected(t *testing.T) {
	for name, c := range map[string]struct {
		begin, then string
		within      time.Duration
	}{
		"nothing":  {"", "", 11 * time.Second},
		"a header": {"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "x", 11 * time.Second},
		"a body":   {"POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", "x", 31 * time.Second},
		"chunks":   {"POST /monitor/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 31 * time.Second},
		"no more":  {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "", 31 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := running(t, web.Options{}).connect()
				start := time.Now()
				var sending sync.WaitGroup
				sending.Go(func() {
					_, err := io.WriteString(client, c.begin)
					for ; err == nil; time.Sleep(time.Second) {
						_, err = io.WriteString(client, c.then)
					}
				})
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > c.within {
					t.Errorf("the server takes this for %s", took)
				}
				client.Close()
				sending.Wait()
			})
		})
	}
}

func TestClientsThatReadSlowlyAreDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := running(t, web.Options{}).connect()
		start := time.Now()
		go func() {
			_, _ = io.WriteString(client, "GET /v1/transfers?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}() // the server ends it
		read := 0
		for one := make([]byte, 1); ; read++ {
			if _, err := client.Read(one); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took > 62*time.Second || read < 10 {
			t.Errorf("the server lets it read %d bytes in %s", read, took)
		}
		client.Close()
	})
}

// Beyond the limit a client waits until another one has gone.
func TestConnectionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := running(t, web.Options{MaxConnections: 2})
		first, second := p.connect(), p.connect()
		third := make(chan net.Conn, 1)
		go func() { third <- p.connect() }()
		synctest.Wait()
		if len(third) > 0 {
			t.Fatal("it is over the limit")
		}
		first.Close()
		client := <-third
		go func() { _, _ = io.WriteString(client, "GET /healthz HTTP/1.0\r\n\r\n") }()
		answer, err := io.ReadAll(client)
		if err != nil || !strings.Contains(string(answer), http.StatusText(http.StatusOK)) {
			t.Errorf("%s, %v", answer, err)
		}
		second.Close()
		client.Close()
	})
}

// With any number of clients that watch, probes and other requests are answered.
func TestStreamsLeaveConnectionsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := web.Options{MaxConnections: 4}
		p := running(t, o)
		id := stocked(500).transfers[0].UUID
		ask := func(request string) (net.Conn, string) {
			client := p.connect()
			go func() { _, _ = io.WriteString(client, request+" HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
			line := make([]byte, len("HTTP/1.1 200"))
			if _, err := io.ReadFull(client, line); err != nil {
				t.Error(err)
			}
			return client, string(line)
		}
		for i, want := range []string{"HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503"} {
			client, got := ask("GET /v1/transfers/" + id + "/events")
			defer client.Close()
			if got != want {
				t.Errorf("watching client %d: %s, want %s", i, got, want)
			}
		}
		client, got := ask("GET /healthz")
		defer client.Close()
		if got != "HTTP/1.1 200" {
			t.Errorf("a probe beside them: %s", got)
		}
	})
}
