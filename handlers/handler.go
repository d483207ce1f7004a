package handlers

import "context"

// Handler runs one step over a batch of jobs. Batches of the same step may run at the
// same time, so Handle must be safe for concurrent use and keep no state from one batch
// for the next.
//
// A job that Handle leaves without a verdict has succeeded when Handle returns nil. An
// error or a panic settles only the jobs that are not Done yet. When ctx ends, Handle
// should return soon; jobs without a verdict are then given back to the queue and run
// again.
//
// A handler that keeps processes or connections between batches implements io.Closer: a
// worker calls Close when it has stopped. Close frees what no batch uses; other workers of
// the same process may go on with the handler.
type Handler interface {
	Handle(ctx context.Context, jobs []*Job) error
}

// HandlerFunc makes a Handler of a function.
type HandlerFunc func(ctx context.Context, jobs []*Job) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, jobs []*Job) error { return f(ctx, jobs) }
