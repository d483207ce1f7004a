// Package servers runs throwaway Redis and MySQL servers: real ones, on loopback,
// in folders of their own, with nothing left behind.
//
// A server belongs to the process that started it. It is told from others by
// its process and its folder, never by its name, and on Linux the kernel ends it
// when its owner dies, however that happens. Stopping one is a SIGKILL: what it
// holds is thrown away with it.
//
// Tests have theirs from the testkit, and `baler bench` measures on them. The
// package does not look after servers that it did not start. Only on Unix can a
// server be paused.
package testservers
