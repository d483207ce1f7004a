package identify

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("max_scan", "size", "64MiB", "how much of a file is searched at most"),
		handlers.DocArg("algorithms", "list", "[]", "digests to compute in the same read: any of `md5`, `sha1`, `sha256`, `sha512`"),
		handlers.DocFact("puid", "PRONOM's identifier, name and version of the format; its MIME type"),
		handlers.DocFact("format", "PRONOM's identifier, name and version of the format; its MIME type"),
		handlers.DocFact("format_version", "PRONOM's identifier, name and version of the format; its MIME type"),
		handlers.DocFact("mime", "PRONOM's identifier, name and version of the format; its MIME type"),
		handlers.DocFact("format_warning", "what siegfried remarks, as on an extension that does not suit"),
		handlers.DocFact("format_candidates", "all PUIDs when several match alike"),
		handlers.DocFact("md5", "with `algorithms`: the digest, in hexadecimal"),
		handlers.DocFact("sha1", "with `algorithms`: the digest, in hexadecimal"),
		handlers.DocFact("sha256", "with `algorithms`: the digest, in hexadecimal"),
		handlers.DocFact("sha512", "with `algorithms`: the digest, in hexadecimal"),
		handlers.DocFact("size", "with `algorithms`: bytes that were read"),
		handlers.DocCode("size-changed", "warning", "with `algorithms`: the file has not the size that the scan saw"),
		handlers.DocCode("unknown-format", "warning", "no signature matches"),
	)
}
