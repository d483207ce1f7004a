package mets

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the file; below `BALER_OUTPUTS` for workers. `${transfer}`, `${name}`, `${created}` … may be in it"),
		handlers.DocArg("premis", "text", "embedded", "or the path or URL of a PREMIS document"),
		handlers.DocArg("base", "text", "", "what stands before the relative paths of files: a path, or a URL with its escapes"),
		handlers.DocArg("organization", "mapping", "", "`name`, `identifier` and `identifier_type` of who is responsible"),
		handlers.DocArg("events", "mapping", "", "the event type by step, instead of the usual ones"),
		handlers.DocCode("destination-exists", "failed", "something is there already that no final step of this run or an earlier one wrote"),
	)
}
