package web

import (
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/balerhq/baler/internal/openfiles"
)

const (
	// mostConnections is how many clients may be connected at most. One that watches a
	// transfer takes about 50 KiB of memory.
	mostConnections = 2560

	// connectionShare is the divisor of the limit of open files that gives the number of
	// clients. The rest is for a worker in the same process.
	connectionShare = 4

	// streamShare is the divisor of the limit of connections that gives how many of them
	// may watch transfers or send files at a time.
	streamShare = 2
)

// connectionLimit is how many clients may be connected at a time.
func connectionLimit() int {
	return max(1, min(openfiles.Limit()/connectionShare, mostConnections))
}

// limitedListener accepts no connection while as many as its limit are open. Further
// clients wait in the system's queue, which uses no file descriptors of this process.
type limitedListener struct {
	net.Listener

	log    *slog.Logger
	slots  chan struct{} // holds one element for each open connection
	closed chan struct{}
	close  func() error
}

func limitConnections(ln net.Listener, limit int, log *slog.Logger) *limitedListener {
	l := &limitedListener{Listener: ln, log: log, slots: make(chan struct{}, limit), closed: make(chan struct{})}
	l.close = sync.OnceValue(func() error {
		close(l.closed)
		return ln.Close()
	})
	return l
}

// Accept waits for a free slot and for a client.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		l.log.Warn("http: the limit of connections is reached; further clients wait", "connections", cap(l.slots))
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, fmt.Errorf("accept: %w", net.ErrClosed)
		}
	}
	release := sync.OnceFunc(func() { <-l.slots })
	conn, err := l.Listener.Accept()
	if err != nil {
		release()
		return nil, err
	}
	return &limitedConn{Conn: conn, release: release}, nil
}

// Close also ends an Accept that waits for a slot. A second call does nothing.
func (l *limitedListener) Close() error { return l.close() }

// limitedConn gives its slot back when it is closed.
type limitedConn struct {
	net.Conn

	release func()
}

func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
