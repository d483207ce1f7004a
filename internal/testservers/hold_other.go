//go:build !linux

package testservers

import "net"

// hold only checks that a loopback port is free: on these systems a bound socket
// would prevent the server from binding the port.
func hold(port int) (release func() error, err error) {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return nil, err
	}
	return func() error { return nil }, l.Close()
}
