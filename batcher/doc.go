// Package batcher decides how many items go together, and gathers them.
//
// A Batcher gathers the items of one process under a Policy and flushes them in
// bulk. A Planner makes batches of the files of a transfer, by number, size and
// estimated cost. The Aggregator makes batches of what asynq's group aggregator
// has collected.
//
// A Batcher promises that an item which Add took is passed to exactly one flush,
// that every bound of the policy holds, and that each item's Future says how its
// own flush ended. It keeps nothing beyond the process and retries nothing:
// whoever adds an item decides what its error means.
package batcher
