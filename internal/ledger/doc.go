// Package ledger has the words that the dispatcher, the runner and the store share about
// batches: what is left to dispatch, what a worker has claimed, and what it records when a
// batch ends. It holds values and errors only.
package ledger
