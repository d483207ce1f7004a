// Package tasks is the ground floor: the words that every other room speaks.
//
// It holds the domain (Transfer, File, Step, Batch, Result, Outcome), the two
// queue messages with their codecs, the names of asynq groups, and the
// Producer that puts messages into the queue. It knows no database, no recipe
// and no handler.
package tasks
