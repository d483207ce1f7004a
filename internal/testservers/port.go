package testservers

import (
	"context"
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

// HoldPort names a loopback port that nobody has, and keeps it from others who
// ask for one until let is called: where a server died, it finds its port again.
// Outside Linux somebody else may be faster, who asks for another then.
func HoldPort(ctx context.Context) (port int, let func() error, err error) {
	for range portTries {
		port = firstPort + rand.IntN(lastPort-firstPort+1)
		if let, err = hold(port); err == nil || ctx.Err() != nil {
			return port, let, err
		}
	}
	return 0, nil, fmt.Errorf("find a free port: %w", err)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
