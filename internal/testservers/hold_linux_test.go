package testservers

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestHeldPortIsNobodyElsesAndOpenToItsServer(t *testing.T) {
	port, let, err := HoldPort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken := func() {
		t.Helper()
		if _, err := hold(port); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("somebody else has it, too: %v", err)
		}
	}
	for range 2 { // a server, and the same after it died
		taken()
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address(port)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("nobody listens, and a connection comes to %v, %v", conn, err)
		}
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address(port))
		if err != nil {
			t.Fatal(err)
		}
		taken()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := let(); err != nil {
		t.Fatal(err)
	}
	again, err := hold(port)
	if err != nil {
		t.Fatalf("nobody has it any more: %v", err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}
