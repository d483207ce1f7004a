// Package systemtest tests the whole of Baler through its Go API, on each kind of database and queue.
package systemtest
