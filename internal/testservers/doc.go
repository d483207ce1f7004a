// Package testservers runs temporary Redis and MySQL servers. They are the real
// programs, listen on loopback, have a folder each, and leave nothing behind.
//
// A server belongs to the process that started it. On Linux the kernel kills it
// when that process dies. Close kills a server and deletes its data.
//
// Tests get their servers from the testkit; `baler bench` measures on some of its
// own. The package does not manage servers that it has not started. Pause and
// Resume exist on Unix only.
package testservers
