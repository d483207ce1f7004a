package sanitizenames

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the folder that copies are written below; without it only facts are recorded"),
		handlers.DocArg("replace", "true or false", "false", "replaces what is there with other content; else `destination-exists`"),
		handlers.DocFact("original_name", "the name; the path relative to the source"),
		handlers.DocFact("original_path", "the name; the path relative to the source"),
		handlers.DocFact("safe_name", "the same, of safe names"),
		handlers.DocFact("safe_path", "the same, of safe names"),
		handlers.DocFact("name_changed", "whether the paths differ"),
		handlers.DocFact("copied_to", "with `to`: as for `copy`"),
		handlers.DocFact("sha256", "with `to`: as for `copy`"),
		handlers.DocFact("size", "with `to`: as for `copy`"),
		handlers.DocCode("destination-exists", "failed", "something else is there already: see `replace`"),
	)
}
