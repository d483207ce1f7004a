package extension

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocFact("extension", "in small letters, with its dot"),
		handlers.DocFact("extension_matches", "whether the extension belongs to the format"),
		handlers.DocCode("extension-mismatch", "warning", "PRONOM knows other extensions for this format"),
		handlers.DocCode("not-identified", "skipped", "the format is unknown: put `identify` before"),
	)
}
