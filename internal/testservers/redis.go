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
	"time"
)

// Databases is how many databases a throwaway Redis has: one a test, and more
// than any suite runs at the same time.
const Databases = 4096

// RedisOptions change what a Redis is by default. The zero value is a server in
// memory that forgets everything when it dies.
type RedisOptions struct {
	// Persist keeps what was acknowledged over a Kill and Restart: an append-only
	// file, flushed with every command.
	Persist bool

	// Args are further arguments; of two alike the later wins.
	Args []string
}

// StartRedis runs a Redis that refuses writes rather than evict.
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

// probe asks by hand: a client would try again by itself, and complain in between.
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
	if answer != "+PONG\r\n" { // while it loads its data it answers with an error
		return fmt.Errorf("probe: the server answers %q", answer)
	}
	return nil
}

func (*redisServer) url(port int) string { return "redis://" + address(port) + "/0" }

func redisSocket(dir string) string { return filepath.Join(dir, "r.sock") }
