package verify

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("lists", "list", "", "absolute paths of checksum lists"),
		handlers.DocArg("sidecars", "true or false", "true", "looks for sidecars, and for lists with usual names"),
		handlers.DocArg("bags", "true or false", "true", "looks for the manifests of the bag that holds the file"),
		handlers.DocArg("unlisted", "text", "skipped", "how a file ends that no list has: `skipped` or `failed`"),
		handlers.DocFact("verified", "whether all digests agree"),
		handlers.DocFact("verified_by", "the lists that have the file"),
		handlers.DocFact("md5", "digests that were computed"),
		handlers.DocFact("sha1", "digests that were computed"),
		handlers.DocFact("sha224", "digests that were computed"),
		handlers.DocFact("sha256", "digests that were computed"),
		handlers.DocFact("sha384", "digests that were computed"),
		handlers.DocFact("sha512", "digests that were computed"),
		handlers.DocCode("digest-mismatch", "failed", "a list has another digest"),
		handlers.DocCode("not-listed", "skipped, or failed with `unlisted`", "no list has the file"),
		handlers.DocCode("not-in-manifest", "failed", "the file is in the payload of a bag, and no manifest lists it"),
		handlers.DocCode("listed-missing", "failed", "the file is a list, and files that it lists do not exist"),
		handlers.DocCode("bad-list", "failed, or warning", "a list cannot be read; some lines of it are no digest and name"),
	)
}
