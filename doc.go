// Package baler registers files, runs handlers over batches of them, and records one
// result per file and step.
//
// It is the Go API, and connects the parts of the system: Open connects to the database
// and the queue, Submit registers files, Work runs batches, Serve answers HTTP, and Run
// does all of it in one process. For a program with the whole command line and handlers
// of its own, see cli.Main.
//
// Every file that Submit has counted gets exactly one final result for each step that
// selects it, whichever process dies meanwhile. A handler may run more than once for a
// file; its result is recorded once.
package baler
