package testservers

import (
	"fmt"
	"net"
	"syscall"
)

// hold reserves a loopback port until release, also while its server is dead. It
// binds a socket that does not listen: connections are refused as without it, and a
// server that sets SO_REUSEADDR can bind the port. It fails when the port is in use
// or held.
func hold(port int) (release func() error, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold port %d: %w", port, err)
	}
	here := &syscall.SockaddrInet4{Port: port, Addr: [4]byte(net.IPv4(127, 0, 0, 1).To4())}
	if err = syscall.Bind(fd, here); err == nil {
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err != nil {
		_ = syscall.Close(fd) // the error before is the one to report
		return nil, fmt.Errorf("hold port %d: %w", port, err)
	}
	return func() error { return syscall.Close(fd) }, nil
}
