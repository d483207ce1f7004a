package report

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the file; below `BALER_OUTPUTS` for workers. `${transfer}`, `${name}`, `${created}` … may be in it"),
		handlers.DocArg("as", "text", "by the extension of `to`", "`html`, `csv`, `files` or `json`"),
		handlers.DocArg("title", "text", "the name of the transfer", "the heading of the page"),
		handlers.DocCode("columns-missing", "warning", "there are more facts than columns"),
		handlers.DocCode("destination-exists", "failed", "something is there already that no final step of this run or an earlier one wrote"),
	)
}
