package coprocess

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("script", "text", "", "a script that ends in .py, .mjs or .js"),
		handlers.DocArg("interpreter", "list", "", "instead of `python3` or `node`"),
		handlers.DocArg("command", "list", "", "instead of a script: a program that speaks the protocol"),
		handlers.DocArg("args", "any", "", "for the job; `${…}` is replaced for each file"),
		handlers.DocArg("facts", "mapping", "", "facts for the script, by name"),
		handlers.DocArg("env", "list", "", "as for `exec`"),
		handlers.DocArg("memory", "size", "", "address space of the process"),
		handlers.DocArg("max_batches", "number", "1000", "batches after which the process is replaced"),
		handlers.DocArg("emit", "text", "", "the folder below which each file has a folder of its own for what the script emits"),
		handlers.DocArg("version", "any", "", "change it when the script has changed"),
		handlers.DocCode("child-not-ready", "error, retried", "the process ended, or said nothing, before it was ready"),
		handlers.DocCode("bad-protocol", "error, retried, or failed", "a line is no message; facts cannot be recorded"),
		handlers.DocCode("no-answer", "error, retried", "the batch ended without an answer for the file"),
		handlers.DocCode("bad-emit", "failed",
			"a file that was emitted is not in the folder of the job, or two have one name"),
		handlers.DocCode("output-in-source", "failed", "`emit` lies in a source"),
		handlers.DocCode("outside-outputs", "failed", "`emit` lies in no folder that the worker may write"),
		handlers.DocCode("exit-N", "error, retried", "the process ended during this file"),
		handlers.DocCode("commands-not-allowed", "error, retried", "the worker does not run the programs of this recipe"),
	)
}
