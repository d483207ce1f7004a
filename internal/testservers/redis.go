package testservers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Databases is the number of databases of a temporary Redis: more than the tests
// that any suite runs at the same time.
const Databases = 4096

// RedisOptions configure a Redis. The zero value is a server in memory that loses
// everything when it dies.
type RedisOptions struct {
	// Persist makes acknowledged writes survive a Kill and Restart, with an
	// append-only file that is flushed after every command.
	Persist bool

	// Args are appended to the arguments; the last of equal ones applies.
	Args []string
}

// StartRedis runs a Redis that refuses writes instead of evicting keys.
func StartRedis(ctx context.Context, opts RedisOptions) (*Server, error) {
	binary, err := RedisBinary()
	if err != nil {
		return nil, err
	}
	return start(ctx, &redisServer{binary: binary, opts: opts})
}

type redisServer struct {
	binary string
	opts   RedisOptions
}

func (*redisServer) prepare(context.Context, string) error { return nil }

func (r *redisServer) command(dir string, port int) (string, []string) {
	args := []string{
		"--bind", "127.0.0.1",
		"--port", strconv.Itoa(port),
		"--unixsocket", redisSocket(dir),
		"--dir", dir,
		"--databases", strconv.Itoa(Databases),
		"--save", "",
		"--maxmemory-policy", "noeviction",
	}
	if r.opts.Persist {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	} else {
		args = append(args, "--appendonly", "no")
	}
	return r.binary, slices.Concat(args, r.opts.Args)
}

// probe uses no client, because a client would retry by itself and log errors.
func (*redisServer) probe(ctx context.Context, dir string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", redisSocket(dir))
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(probeTimeout)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	// A server that still loads its data answers with another error.
	if answer != "+PONG\r\n" && !strings.HasPrefix(answer, "-NOAUTH ") {
		return fmt.Errorf("probe: the server answers %q", answer)
	}
	return nil
}

func (*redisServer) url(port int) string { return "redis://" + address(port) + "/0" }

func redisSocket(dir string) string { return filepath.Join(dir, "r.sock") }
