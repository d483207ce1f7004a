package testservers

import (
	"fmt"
	"net"
	"syscall"
)

// hold keeps a loopback port from everybody else who asks for a free one, also
// while its server is dead: a socket that is bound and does not listen. Whoever
// connects is refused as if it were not there, and a server may bind to the port
// as it usually does, for reuse. It fails when anybody else has the port, even if
// only held.
func hold(port int) (let func() error, err error) {
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
