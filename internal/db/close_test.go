package db

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// breakable is a way to a database whose connections can be reset, all at once.
type breakable struct {
	listener net.Listener
	upstream string
	ended    chan struct{}
	conns    []net.Conn
}

func newBreakable(t *testing.T, upstream string) *breakable {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breakable{listener: listener, upstream: upstream, ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		for open := true; open; {
			open = b.connect() == nil
		}
	}()
	return b
}

func (b *breakable) connect() error {
	near, err := b.listener.Accept()
	if err != nil {
		return err
	}
	far, err := net.Dial("tcp", b.upstream)
	if err != nil {
		return err
	}
	b.conns = append(b.conns, near, far)
	go func() { _, _ = io.Copy(near, far) }() // broken on purpose
	go func() { _, _ = io.Copy(far, near) }() // as above
	return nil
}

// reset takes no more connections, and ends those that there are without a word.
func (b *breakable) reset(t *testing.T) {
	t.Helper()
	if err := b.listener.Close(); err != nil {
		t.Fatal(err)
	}
	<-b.ended
	for _, conn := range b.conns {
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close() // the other side may have been faster
	}
}

// A server ends the idle connections of a process that was frozen: that one can
// stop in order all the same.
func TestCloseAfterTheServerHasEndedConnections(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testkit.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	way := newBreakable(t, u.Host)
	u.Host = way.listener.Addr().String()
	s, err := Open(t.Context(), u.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	way.reset(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Whoever is stopped while it opens a database is told so, not what the driver makes of it.
func TestOpenIsStopped(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, url := range []string{"sqlite:" + filepath.Join(t.TempDir(), "b.db"), testkit.MySQL(t)} {
		if d, err := Open(stopped, url, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, %v", url, d, err)
		}
	}
}
