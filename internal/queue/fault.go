package queue

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/tlshint"
)

// fault is a state in which Redis accepts no messages.
type fault struct {
	prefix string // of the error, without ERR
	what   string // what Redis does: "is full"
	hint   string
}

// faults are the faults that errors of Redis name.
func faults() []fault {
	const refuses = "refuses this account"
	const account = "correct the user and password in BALER_REDIS_URL, or give it the rights of deploy/redis.acl"
	return []fault{
		{"NOAUTH", refuses, account},
		{"WRONGPASS", refuses, account},
		{"NOPERM", refuses, account},
		{"AUTH", refuses, account},
		{"invalid password", refuses, account},
		{"LOADING", "is not ready", "it loads its data; wait until it has"},
		{"MASTERDOWN", "is not ready", "it is a replica that has no link to its primary; connect to the primary"},
		{"READONLY", "is read-only", "it is a replica; connect to the primary"},
		{"OOM", "is full", "raise maxmemory of Redis, or remove other data from it"},
		{"MISCONF", "accepts no writes", "it cannot save its data to its disk; its log has the reason"},
		{"NOREPLICAS", "accepts no writes", "it has too few replicas; see min-replicas-to-write"},
		{"max number of clients reached", "has no connection left", "raise maxclients of Redis, or close other connections"},
		{"DENIED", "refuses connections from other hosts", "give it a password, or end its protected mode"},
	}
}

// faultOf returns the fault that an error of Redis names; ok is false when it names none.
func faultOf(err error) (f fault, ok bool) {
	for _, f := range faults() {
		if redis.HasErrorPrefix(err, f.prefix) {
			return f, true
		}
	}
	return fault{}, false
}

// Fault says why Redis accepts no messages, such as "is full". It is empty when Redis
// accepts them, and when the account may not write, so that this cannot be checked.
func (q *Conn) Fault(ctx context.Context) string {
	if err := q.ping(ctx); err != nil {
		f := q.pingFault(err)
		return f.what
	}
	if f, ok := faultOf(q.TryWrite(ctx)); ok && !strings.HasPrefix(f.what, "refuses") {
		return f.what
	}
	return ""
}

// pingFault returns why Redis does not answer a ping.
func (q *Conn) pingFault(err error) fault {
	if f, ok := faultOf(err); ok {
		return f
	}
	if hint := tlshint.Of(err, tlshint.Settings{
		Address: "BALER_REDIS_URL", CA: "BALER_REDIS_TLS_CA", Cert: "BALER_REDIS_TLS_CERT", Key: "BALER_REDIS_TLS_KEY",
	}); hint != "" {
		return fault{what: "cannot be used", hint: hint}
	}
	hint := "set BALER_REDIS_URL, or start Redis"
	switch {
	case !q.secure && errors.Is(err, io.EOF): // what a server that expects TLS does
		hint += "; if it expects TLS, write rediss:// instead of redis://"
	case q.secure && errors.Is(err, context.DeadlineExceeded): // Redis without TLS waits for the end of a line
		hint += "; if it does not speak TLS, write redis:// instead of rediss://"
	}
	return fault{what: "does not answer", hint: hint}
}

// ping asks Redis. When Redis closes the connection instead of answering, it returns what
// Redis says before it does.
func (q *Conn) ping(ctx context.Context) error {
	err := q.Client.Ping(ctx).Err()
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, named := faultOf(err); named {
		return err
	}
	if said := q.greeting(ctx); said != nil {
		return said
	}
	return err
}

// greetingTime bounds the wait for an error that Redis sends before any command. It sends
// that at once.
const greetingTime = 500 * time.Millisecond

// greeting is the error that Redis sends on a new connection before it closes it; nil when
// it sends none. The client cannot read it: its first command fails to be written.
func (q *Conn) greeting(ctx context.Context) error {
	client, ok := q.Client.(*redis.Client)
	if !ok || client.Options().TLSConfig != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, client.Options().Network, client.Options().Addr)
	if err != nil {
		return nil // the client's own error is the one to report
	}
	defer func() { _ = conn.Close() }() // nothing was written
	if conn.SetReadDeadline(time.Now().Add(greetingTime)) != nil {
		return nil
	}
	line, err := bufio.NewReaderSize(conn, 1<<10).ReadSlice('\n')
	text := strings.TrimSpace(string(line))
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) || !strings.HasPrefix(text, "-") {
		return nil
	}
	text, _, _ = strings.Cut(text[1:], ". ") // the other sentences are advice
	return greetingError(text)
}

// greetingError is an error that Redis has sent on a new connection.
type greetingError string

func (e greetingError) Error() string { return string(e) }

// RedisError implements redis.Error.
func (greetingError) RedisError() {}
