package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/balerhq/baler/internal/testservers"
)

// FaultyProxy passes connections on to a server and adds network faults. It begins without
// faults. Faults of different kinds add up. Setting the same fault twice ends the test; call
// Clear in between.
type FaultyProxy struct {
	t        testing.TB
	upstream *url.URL
	proxy    *toxiproxy.Proxy
}

// The two directions of data through a proxy.
const (
	requests = "upstream"
	replies  = "downstream"
)

// Proxy listens on a port of its own until the test ends, and passes everything
// on to upstream, the URL of a server.
func Proxy(t testing.TB, upstream string) *FaultyProxy {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil || u.Host == "" {
		t.Fatalf("proxy: %q is not a URL with a host: %v", upstream, err)
	}
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	port, release, err := testservers.HoldPort(t.Context())
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Errorf("proxy: %v", err)
		}
	})
	listen := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p := &FaultyProxy{t: t, upstream: u, proxy: toxiproxy.NewProxy(api, t.Name(), listen, u.Host)}
	p.Up()
	t.Cleanup(func() {
		p.Clear() // a fault that holds data back would keep its goroutine alive
		p.Down()
	})
	return p
}

// URL is the server's URL with the address of the proxy. Down and Up do not change it.
func (p *FaultyProxy) URL() string {
	through := *p.upstream
	through.Host = p.proxy.Listen
	return through.String()
}

// Latency delays every reply.
func (p *FaultyProxy) Latency(delay time.Duration) {
	p.t.Helper()
	p.add("latency", replies, map[string]any{"latency": delay.Milliseconds()})
}

// Reset closes each connection in place of its first reply: the server has carried
// out the request, and the client gets no answer. New connections end with a TCP
// reset, older ones with an ordinary close.
func (p *FaultyProxy) Reset() {
	p.t.Helper()
	p.add("reset_peer", replies, nil)
}

// Timeout drops replies and closes the connection after a time; 0 means never.
// Requests still arrive.
func (p *FaultyProxy) Timeout(after time.Duration) {
	p.t.Helper()
	p.add("timeout", replies, map[string]any{"timeout": after.Milliseconds()})
}

// Silence drops all data in both directions and keeps the connections open, as after a power
// failure of the other host.
func (p *FaultyProxy) Silence() {
	p.t.Helper()
	p.add("timeout", requests, nil)
	p.add("timeout", replies, nil)
}

// Clear removes all faults. Connections that have lost data are closed.
func (p *FaultyProxy) Clear() {
	p.proxy.Toxics.ResetToxics(context.WithoutCancel(p.t.Context()))
}

// Down closes every connection and refuses new ones. A second Down does nothing.
func (p *FaultyProxy) Down() { p.proxy.Stop() }

// Up listens again, on the same port.
func (p *FaultyProxy) Up() {
	p.t.Helper()
	if err := p.proxy.Start(); err != nil {
		p.t.Fatalf("proxy: listen on %s: %v", p.proxy.Listen, err)
	}
}

func (p *FaultyProxy) add(kind, stream string, attributes map[string]any) {
	p.t.Helper()
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		p.t.Fatalf("proxy: %v", err)
	}
	if _, err := p.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic)); err != nil {
		p.t.Fatalf("proxy: add %s to the %s stream: %v", kind, stream, err)
	}
}

// proxyLeaks are the goroutines that a proxy may leave behind. When a fault ends a
// connection while data flows, toxiproxy's goroutines for that data never end.
func proxyLeaks() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	}
}
