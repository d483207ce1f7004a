package servers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that kernels use for outgoing
// connections. In that range a stranger's connection could take the port of a
// server between its death and its restart, and a client that dials the dead
// port again and again would at some point connect to itself.
const (
	firstPort = 20000
	lastPort  = 31999
	portTries = 100
)

// FreePort names a loopback port that nobody listens on. Somebody else may take
// it before the caller does, who should then ask for another.
func FreePort(ctx context.Context) (int, error) {
	var last error
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address(port))
		if err == nil {
			err = l.Close()
		}
		if err == nil {
			return port, nil
		}
		last = err
	}
	return 0, fmt.Errorf("find a free port: %w", errors.Join(last, ctx.Err()))
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
