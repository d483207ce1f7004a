//go:build !linux

package testservers

import "net"

// hold looks whether a loopback port is free. Here a socket that is bound would
// keep the server out, too.
func hold(port int) (let func() error, err error) {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return nil, err
	}
	return func() error { return nil }, l.Close()
}
