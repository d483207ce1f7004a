package exec

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("command", "list", "", "the program and its arguments; `${…}` is replaced for each file"),
		handlers.DocArg("each", "text", "file", "`file`: a process for each file; `batch`: one for all files of a batch"),
		handlers.DocArg("paths", "text", "arguments", "for a batch: `arguments`, `stdin` or `list`"),
		handlers.DocArg("stdin", "text", "none", "`file`: the content of the file"),
		handlers.DocArg("dir", "text", "", "the working folder; `temporary` is a new one"),
		handlers.DocArg("env", "list", "", "environment variables: `NAME` or `NAME=value`"),
		handlers.DocArg("outcomes", "mapping", "{0: succeeded, other: failed}", "outcomes by exit code"),
		handlers.DocArg("facts", "mapping", "", "facts from the output:"),
		handlers.DocArg("facts.json", "mapping", "", "the path of a member of JSON by the name of the fact, or `\"*\"` for every member"),
		handlers.DocArg("facts.file", "text", "", "for a batch: the member with the file's path"),
		handlers.DocArg("facts.patterns", "list", "", "regular expressions with named groups"),
		handlers.DocArg("facts.numbers", "list", "", "names of groups that are numbers"),
		handlers.DocArg("max_output", "size", "64MiB", "how much the command may write"),
		handlers.DocArg("memory", "size", "", "address space of a process"),
		handlers.DocArg("cpu", "duration", "", "processor time of a process"),
		handlers.DocArg("parallel", "number", "1", "files of a batch at once"),
		handlers.DocArg("emit", "text", "", "the folder below which each file has a folder of its own, `{emit}`, for what the command writes"),
		handlers.DocCode("bad-emit", "failed", "what is in the folder of the file cannot be files of the transfer"),
		handlers.DocCode("output-in-source", "failed", "`emit` lies in a source"),
		handlers.DocCode("outside-outputs", "failed", "`emit` lies in no folder that the worker may write"),
		handlers.DocCode("output-limit", "failed", "the command wrote more than `max_output`"),
		handlers.DocCode("cpu-limit", "timed_out, retried", "it used more than `cpu`"),
		handlers.DocCode("bad-facts", "failed", "its output is not what `facts` expects"),
		handlers.DocCode("no-facts", "error, retried", "its output for a batch does not name the file"),
		handlers.DocCode("exit-N", "failed, or by `outcomes`", "the exit code of the command"),
		handlers.DocCode("signal-NAME", "error, retried", "a signal ended the command"),
		handlers.DocCode("command-not-found", "error, retried", "the worker has no such program"),
		handlers.DocCode("commands-not-allowed", "error, retried", "the worker does not run the programs of this recipe"),
	)
}
