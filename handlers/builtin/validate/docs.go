package validate

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("as", "text", "", "the format of files of which neither the fact `mime` nor the extension tells it"),
		handlers.DocArg("max_pixels", "number", "200000000", "larger images are not checked"),
		handlers.DocArg("max_unpacked", "size", "64GiB", "archives that unpack to more are not checked"),
		handlers.DocArg("max_pdf", "size", "512MiB", "a larger PDF is not checked"),
		handlers.DocFact("valid", "whether the file is well-formed; only when it was checked"),
		handlers.DocFact("validated_as", "the format"),
		handlers.DocCode("malformed", "failed", "the file has another format, or is damaged"),
		handlers.DocCode("encrypted", "warning", "it cannot be checked without the password"),
		handlers.DocCode("not-checked", "warning", "it exceeds a limit, or the decoder does not know its variant"),
		handlers.DocCode("no-validator", "skipped", "there is no check for this format"),
	)
}
