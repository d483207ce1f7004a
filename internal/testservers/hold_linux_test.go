package testservers

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestOnlyItsServerCanUseAHeldPort(t *testing.T) {
	port, release, err := HoldPort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken := func() {
		t.Helper()
		if _, err := hold(port); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("the port can be held twice: %v", err)
		}
	}
	for range 2 { // a server, and the same after it died
		taken()
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address(port)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("connected without a listener: %v, %v", conn, err)
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
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := hold(port)
	if err != nil {
		t.Fatalf("hold the released port: %v", err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}
