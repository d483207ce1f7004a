// Package dispatch turns registered files into batches, transfer by transfer,
// and makes sure that every batch of the ledger reaches the queue and that no
// file is forgotten. A Dispatcher runs in every worker and server; a lease lets
// one of them act, and everything it does is safe when two believe they hold it.
package dispatch
