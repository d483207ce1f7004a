// Package baler turns piles of files into recorded results, fast, and loses
// none.
//
// It is the public face of the system and the only place where its parts are
// put together: Open connects to the database and the queue, Submit registers
// files, Work runs batches, Serve answers HTTP, Run does all of it in one
// process. A program with handlers of one's own and the whole command line is a
// registry and cli.Main, of package cli.
//
// It promises that every file that Submit has counted gets exactly one final
// result for each step that selects it, whatever dies meanwhile. A handler may
// run more than once for a file; its result is recorded once.
package baler
