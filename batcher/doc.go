// Package batcher decides how many items form a batch, and collects them.
//
// A Batcher collects the items of one process under a tasks.BatchPolicy and flushes
// them together. A Planner makes batches from the files of a transfer, by number, size
// and estimated cost. An Aggregator makes batches from the file messages that a
// Collector, or asynq, has collected in a group.
//
// A Batcher promises that it passes every added item to exactly one flush, that it
// keeps every limit of the policy, and that the Future of an item has the error of
// that item's flush. It stores nothing outside the process and retries nothing: the
// caller of Add decides what to do about an error.
package batcher
