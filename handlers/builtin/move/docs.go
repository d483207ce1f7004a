package move

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the folder; below `BALER_OUTPUTS` for workers, and in no source"),
		handlers.DocArg("replace", "true or false", "false", "replaces what is there with other content; else `destination-exists`"),
		handlers.DocFact("copied_to", "the path to which the file was moved"),
		handlers.DocFact("sha256", "of the file there, which was read back and compared"),
		handlers.DocFact("size", "of the file there, which was read back and compared"),
		handlers.DocCode("destination-exists", "failed", "something else is there already: see `replace`"),
		handlers.DocCode("same-file", "failed", "the destination is the file itself"),
		handlers.DocCode("outside-outputs", "failed", "the worker may not remove the file"),
		handlers.DocCode("changed-while-reading", "error, retried", "the file changed while it was copied"),
	)
}
