package premis

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the file; below `BALER_OUTPUTS` for workers. `${transfer}`, `${name}`, `${created}` … may be in it"),
		handlers.DocArg("organization", "mapping", "", "`name`, `identifier` and `identifier_type` of who is responsible"),
		handlers.DocArg("events", "mapping", "", "the event type by step, instead of the usual ones"),
		handlers.DocCode("destination-exists", "failed", "something is there already that no final step of this run or an earlier one wrote"),
	)
}
