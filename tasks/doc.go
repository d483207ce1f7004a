// Package tasks holds the domain: Transfer, File, Step, Batch, Result and Outcome,
// the policies for batches and retries, the two queue messages with their codecs,
// and the names of asynq groups. Every other package may import it; it imports
// the standard library only.
package tasks
