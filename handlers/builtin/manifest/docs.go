package manifest

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the file; below `BALER_OUTPUTS` for workers. `${transfer}`, `${name}`, `${created}` … may be in it"),
		handlers.DocArg("algorithm", "text", "sha256", "or `md5`, `sha1`, `sha512`"),
		handlers.DocArg("paths", "text", "relative", "or `absolute`"),
		handlers.DocCode("digest-missing", "warning", "some files have no such digest among their facts"),
		handlers.DocCode("destination-exists", "failed", "something is there already that no final step of this run or an earlier one wrote"),
	)
}
