package virusscan

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("clamd", "text", "/run/clamav/clamd.ctl",
			"the socket of clamd, or a port of this host; on Windows the default is `127.0.0.1:3310`"),
		handlers.DocArg("max_size", "size", "100MiB", "larger files are not sent"),
		handlers.DocArg("max_age", "duration", "168h", "older signatures are a warning; `0s` for any age"),
		handlers.DocArg("timeout", "duration", "2m", "how long clamd may take, at most 4m"),
		handlers.DocArg("connections", "number", "4", "of this process to clamd at a time"),
		handlers.DocArg("without_clamd", "text", "error", "how files end when no clamd answers: `error` or `warning`"),
		handlers.DocFact("virus_scan", "`clean`, `infected` or `not-scanned`"),
		handlers.DocFact("virus_name", "what was found"),
		handlers.DocFact("virus_engine", "version of clamd"),
		handlers.DocFact("virus_signatures", "number of its signatures"),
		handlers.DocFact("virus_signatures_date", "date of its signatures"),
		handlers.DocCode("infected", "failed", "a virus was found"),
		handlers.DocCode("not-scanned", "warning", "the file exceeds a limit, is encrypted, or no clamd answers"),
		handlers.DocCode("old-signatures", "warning", "no virus was found with old signatures"),
		handlers.DocCode("clamd", "error, retried", "clamd does not answer, or not as it should"),
	)
}
