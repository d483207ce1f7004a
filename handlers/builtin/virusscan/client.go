package virusscan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
)

// scanner has a client for each clamd and its settings.
type scanner struct {
	mu      sync.Mutex
	clients map[scanArgs]*client
}

// maxClients bounds how many settings are remembered.
const maxClients = 100

func (s *scanner) client(args scanArgs) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[args]
	if c == nil {
		if len(s.clients) >= maxClients {
			clear(s.clients)
		}
		c = &client{scanArgs: args, slots: make(chan struct{}, args.Connections)}
		s.clients[args] = c
	}
	return c
}

// address reads an address: an absolute path of a socket, or a port of this host. clamd
// neither encrypts nor knows who asks, and gets the content of the files: a recipe must not
// send it to other hosts.
func address(s string) (network, addr string, err error) {
	if strings.HasPrefix(s, "/") || filepath.IsAbs(s) { // the recipe may be for workers on another system
		return "unix", s, nil
	}
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return "", "", fmt.Errorf("clamd is %q; write the path of its socket, /run/clamav/clamd.ctl, or a port of this host, 127.0.0.1:3310", s)
	}
	ip, err := netip.ParseAddr(strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil || !ip.IsLoopback() {
		return "", "", fmt.Errorf("clamd is %q, which is not on this host: it must be 127.0.0.1, ::1 or a socket, "+
			"because files are sent to it unencrypted", s)
	}
	return "tcp", s, nil
}

// client speaks with one clamd, over a connection for each command.
type client struct {
	scanArgs

	slots chan struct{} // one for each open connection

	mu    sync.Mutex
	known version
	err   error     // of the question for the version
	until time.Time // when to ask again
}

// versionFor is how long clamd's version is taken to be the same.
const versionFor = time.Minute

// acquire waits for a slot; waiting is no standstill of the file.
func (c *client) acquire(ctx context.Context, progress func()) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case c.slots <- struct{}{}:
			progress()
			return nil
		case <-tick.C:
			progress()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// command sends a command and what send writes, and returns the answer.
func (c *client) command(ctx context.Context, name string, progress func(), send func(w io.Writer) error) (string, error) {
	if err := c.acquire(ctx, progress); err != nil {
		return "", err
	}
	defer func() { <-c.slots }()
	network, addr, err := address(c.Clamd)
	if err != nil {
		return "", err
	}
	dialer := net.Dialer{Timeout: c.Timeout}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return "", c.away(ctx, fmt.Errorf("%w; start clamd (Debian: apt install clamav-daemon), or set its address with clamd", err))
	}
	defer conn.Close() // what matters was read by then
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	timed := timedConn{conn, c.Timeout}
	_, sent := io.WriteString(timed, "z"+name+"\x00")
	if sent == nil && send != nil {
		sent = send(timed)
	}
	if reading, ok := errors.AsType[*readError](sent); ok {
		return "", handlers.RetryLater(handlers.CodeIO, reading.err)
	}
	// clamd ends a connection in the middle of a stream that is too long, with an answer.
	answer, err := bufio.NewReaderSize(io.LimitReader(timed, maxAnswer), maxAnswer).ReadString(0)
	if err != nil {
		return "", c.away(ctx, errors.Join(sent, fmt.Errorf("it ended without an answer: %w", err)))
	}
	return strings.TrimSuffix(answer, "\x00"), nil
}

// maxAnswer is how long an answer may be.
const maxAnswer = 4096

func (c *client) away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return handlers.RetryLater(CodeClamd, fmt.Errorf("clamd at %s: %w", c.Clamd, err))
}

// scan sends content and returns the answer.
func (c *client) scan(ctx context.Context, content io.Reader, progress func()) (string, error) {
	return c.command(ctx, "INSTREAM", progress, func(w io.Writer) error {
		const size = 64 << 10
		chunk := make([]byte, 4+size)
		for {
			n, err := io.ReadFull(content, chunk[4:])
			end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			if err != nil && !end {
				return &readError{err}
			}
			binary.BigEndian.PutUint32(chunk, uint32(n))
			if n > 0 {
				if _, err := w.Write(chunk[:4+n]); err != nil {
					return err
				}
			}
			if end {
				_, err := w.Write([]byte{0, 0, 0, 0})
				return err
			}
		}
	})
}

// readError is an error of the file, not of clamd.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// timedConn limits the time of each read and write.
type timedConn struct {
	net.Conn

	limit time.Duration
}

func (t timedConn) Read(p []byte) (int, error) {
	if err := t.SetReadDeadline(time.Now().Add(t.limit)); err != nil {
		return 0, err
	}
	return t.Conn.Read(p)
}

func (t timedConn) Write(p []byte) (int, error) {
	if err := t.SetWriteDeadline(time.Now().Add(t.limit)); err != nil {
		return 0, err
	}
	return t.Conn.Write(p)
}
