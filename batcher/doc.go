// Package batcher decides how many items go together, and gathers them.
//
// A Policy bounds a batch by items, bytes and delay; a Batcher gathers items
// of one process under a policy and flushes them in bulk; what sizes and
// gathers the batches of the queue stands beside it.
//
// A Batcher promises that an item which Add took is handed to exactly one
// flush, that every bound of the policy holds, and that each item's Future
// learns how its own flush ended. It keeps nothing beyond the process and
// tries nothing again: whoever adds an item decides what its error means.
package batcher
