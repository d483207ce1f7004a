// Package store is the system of record: every row that Baler keeps, and all
// SQL. It speaks MySQL, MariaDB and SQLite through GORM.
//
// It promises that a row is there before anyone tells the queue of it, that
// the worker that records results holds the batch they belong to (see Record), that
// counters equal rows after every commit, and that a transfer completes once.
// Deadlocks, lock time-outs and a busy SQLite are retried inside; an error
// that comes out is one that the caller must decide on.
//
// It does not know handlers, Redis, or how batches are planned.
package store
