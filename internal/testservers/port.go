package testservers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are below the range that kernels use for outgoing connections. Within it,
// another connection could take the port of a server between its death and its
// restart, and a client that dials the dead port repeatedly could connect to itself.
const (
	firstPort    = 20000
	lastPort     = 31999
	portAttempts = 100
)

// HoldPort finds a free loopback port and reserves it until release is called, so
// that a server can restart on its port. Outside Linux the port is not reserved, and
// another process may take it.
func HoldPort(ctx context.Context) (port int, release func() error, err error) {
	for range portAttempts {
		port = firstPort + rand.IntN(lastPort-firstPort+1)
		if release, err = hold(port); err == nil || ctx.Err() != nil {
			return port, release, err
		}
	}
	return 0, nil, fmt.Errorf("find a free port: %w", err)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
