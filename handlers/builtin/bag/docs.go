package bag

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the folder; below `BALER_OUTPUTS` for workers, and in no source"),
		handlers.DocArg("algorithms", "list", "[sha256]", "any of `md5`, `sha1`, `sha256`, `sha512`"),
		handlers.DocArg("info", "mapping", "", "fields of `bag-info.txt`"),
		handlers.DocArg("metadata", "list", "", "files of final steps before this one, for tag files"),
		handlers.DocArg("serialization", "text", "", "`zip`, `tar` or `tar.gz`: one file instead of a folder"),
		handlers.DocCode("digest-differs", "failed", "a file has changed since its digest was computed"),
		handlers.DocCode("not-verified", "warning", "some files had no digest"),
		handlers.DocCode("path-not-text", "failed", "a path is not UTF-8"),
		handlers.DocCode("path-taken", "failed", "two files have the same place in the bag"),
		handlers.DocCode("metadata", "failed", "a final step before this one has failed"),
		handlers.DocCode("not-written", "failed", "no final step wrote what `metadata` names"),
		handlers.DocCode("destination-exists", "failed", "something is there already that no final step of this run or an earlier one wrote"),
	)
}
