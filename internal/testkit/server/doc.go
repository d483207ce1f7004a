// Package server runs throwaway Redis and MySQL servers: real ones, on loopback,
// in folders of their own, with nothing left behind.
//
// A server belongs to the process that started it. It is told from others by
// its process and its folder, never by its name, and on Linux the kernel ends it
// when its owner dies, however that happens. Stopping one is a SIGKILL: what it
// holds is thrown away with it.
//
// The package is for tests and for the command with-servers. It needs Unix and
// does not look after servers that it did not start.
package server
