package checksum

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("algorithms", "list", "[sha256]", "any of `md5`, `sha1`, `sha256`, `sha512`; the file is read once"),
		handlers.DocFact("md5", "the digest by this algorithm, in hexadecimal"),
		handlers.DocFact("sha1", "the digest by this algorithm, in hexadecimal"),
		handlers.DocFact("sha256", "the digest by this algorithm, in hexadecimal"),
		handlers.DocFact("sha512", "the digest by this algorithm, in hexadecimal"),
		handlers.DocFact("size", "bytes that were read"),
		handlers.DocCode("size-changed", "warning", "the file has not the size that the scan saw"),
	)
}
