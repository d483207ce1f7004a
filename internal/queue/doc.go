// Package queue puts batches and files into asynq and finds those that asynq
// has lost. It is the only package that knows the keys that asynq keeps in
// Redis; tests hold each of them to the asynq version in go.mod.
package queue
