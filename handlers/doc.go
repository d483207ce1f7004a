// Package handlers is the contract of handlers: Handler and the Job that it gets for
// each file, Finalizer and its TransferJob, and the Registry that knows both by
// name. The handlers that come with Baler are in package builtin; package command
// runs programs, package handlertest runs handlers in tests.
//
// Each file has a verdict of its own: an error or a panic does not affect the results
// of other files. The recorded output of a job is bounded and valid UTF-8. A file is
// opened only when it lies within the folders that may be read. A handler may run more
// than once for a file: one that writes puts its output in place with a rename.
//
// A handler for one file at a time is a function:
//
//	handlers.PerFile(func(ctx context.Context, job *handlers.Job) error { … })
package handlers
