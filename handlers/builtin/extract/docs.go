package extract

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "",
			"the folder, or an address such as `s3://bucket/prefix`; below `BALER_OUTPUTS` for workers, and in no source"),
		handlers.DocArg("replace", "true or false", "false", "replaces what is there with other content; else `destination-exists`"),
		handlers.DocArg("documents", "true or false", "false", "takes also documents apart that are zip files (docx, odt, epub …)"),
		handlers.DocArg("encoding", "text", "cp437", "how names that are not UTF-8 are read"),
		handlers.DocArg("max_total", "size", "64GiB", "bytes that come of one file from the sources"),
		handlers.DocArg("max_ratio", "number", "200", "how many times as large as that file they may be, from 64 MiB on"),
		handlers.DocArg("max_members", "number", "100000", "how many files come of it"),
		handlers.DocArg("max_depth", "number", "8", "how deep archives in archives are taken apart"),
		handlers.DocFact("archive_format", "`zip`, `tar`, `tar+gzip`, `7z` …"),
		handlers.DocFact("members", "members that were extracted, and their bytes"),
		handlers.DocFact("unpacked_bytes", "members that were extracted, and their bytes"),
		handlers.DocFact("members_refused", "members that were not"),
		handlers.DocCode("no-archive", "skipped", "the file is of no format that it reads"),
		handlers.DocCode("document", "skipped", "a document that is a zip file, see `documents`"),
		handlers.DocCode("too-deep", "warning", "it lies in more archives than `max_depth`"),
		handlers.DocCode("members-refused", "warning", "members were refused, for several reasons"),
		handlers.DocCode("unsafe-path", "warning", "a member leads out of the folder"),
		handlers.DocCode("bad-name", "warning", "a member has no name, or one with a NUL"),
		handlers.DocCode("reserved-name", "warning", "Windows keeps the name of a member"),
		handlers.DocCode("name-too-long", "warning, or failed",
			"no file system, or no service, takes the name of a member, or of the folder for the members"),
		handlers.DocCode("duplicate-name", "warning", "two members have the same path"),
		handlers.DocCode("link-member", "warning", "a member is a symbolic link"),
		handlers.DocCode("hard-link-member", "warning", "a member is a hard link"),
		handlers.DocCode("special-member", "warning", "a member is a device or pipe"),
		handlers.DocCode("encrypted", "warning", "a member, or the directory, is encrypted"),
		handlers.DocCode("unsupported", "warning", "a variant that it does not read"),
		handlers.DocCode("trailing-data", "warning", "something else stands behind the end of a gzip file; what is before it is extracted"),
		handlers.DocCode("too-many", "failed", "more members than `max_members`"),
		handlers.DocCode("too-large", "failed", "more bytes than `max_total`"),
		handlers.DocCode("ratio-exceeded", "failed", "more bytes than `max_ratio` allows"),
		handlers.DocCode("overlapping", "failed", "members share compressed bytes"),
		handlers.DocCode("no-space", "error", "the disk would have less than `worker.min_free` left; it is tried again"),
		handlers.DocCode("truncated", "failed", "it ends too early"),
		handlers.DocCode("malformed", "failed", "it, or a member, is damaged"),
		handlers.DocCode("destination-exists", "warning", "something else is there already: see `replace`"),
	)
}
