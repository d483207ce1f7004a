package copy

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the folder; below `BALER_OUTPUTS` for workers, and in no source"),
		handlers.DocArg("replace", "true or false", "false", "replaces what is there with other content; else `destination-exists`"),
		handlers.DocFact("copied_to", "the path of the copy"),
		handlers.DocFact("sha256", "of the copy, which was read back and compared"),
		handlers.DocFact("size", "of the copy, which was read back and compared"),
		handlers.DocCode("destination-exists", "failed", "something else is there already: see `replace`"),
		handlers.DocCode("output-in-source", "failed", "the folder lies in a source"),
		handlers.DocCode("digest-mismatch", "failed", "the content is not that of the `sha256` of an earlier step"),
	)
}
