// Package handlers is the contract of handlers: Handler and the Job that it gets for
// each file, Finalizer and its TransferJob, and the Registry that knows both by
// name. The handlers that come with Baler are in package builtin; package command
// runs programs, package handlertest runs handlers in tests.
//
// A file's verdict is its own: an error or a panic costs no other file its result.
// What a job writes is kept within bounds and is valid UTF-8, and a file is opened
// only when it lies within the folders that may be read. A handler may run more than
// once for a file: one that writes puts its output in place with a rename.
//
// A handler for one file at a time is a function:
//
//	handlers.PerFile(func(ctx context.Context, job *handlers.Job) error { … })
package handlers
