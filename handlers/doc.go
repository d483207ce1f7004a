// Package handlers is where files are worked on: what a Handler is, the Job it
// is given for each file, the Registry that knows handlers by name, the
// handlers that come with Baler, and the runner that puts a batch through one.
//
// It promises that a file's verdict is its own: an error or a panic costs no
// neighbour its result, what a job writes is kept within bounds and is valid
// UTF-8, and a file is opened only when it lies within the folders that may be
// read. It does not promise that a handler runs only once for a file; a handler
// that writes puts its output in place with a rename.
//
// A handler for one file at a time is a function:
//
//	handlers.VariantPerFile(func(ctx context.Context, job *handlers.Job) error { … })
package handlers
