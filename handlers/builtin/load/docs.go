package load

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("into", "text", "", "the table"),
		handlers.DocArg("map", "list", "", "`COLUMN=PATH:TYPE` for each column; without any, each column takes the member of its name"),
		handlers.DocArg("line_column", "text", "", "the column for the whole line as JSON"),
		handlers.DocArg("line_contains", "text", "", "lines without this text are skipped"),
		handlers.DocArg("key", "list", "", "the columns that identify duplicates"),
		handlers.DocArg("on_duplicate", "text", "ignore with a key, else error", "`ignore`, `update` or `error`"),
		handlers.DocArg("create", "true or false", "false", "creates the table with the columns of `map` and `line_column`"),
		handlers.DocFact("lines", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("loaded", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("skipped", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("duplicates", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("bad", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("bytes", "counts of the lines of the file or the chunk, and their bytes"),
		handlers.DocFact("part", "of a chunk: its number, and the number of its first line"),
		handlers.DocFact("first_line", "of a chunk: its number, and the number of its first line"),
		handlers.DocCode("lines-rejected", "warning", "some lines were rejected; the others are loaded"),
		handlers.DocCode("changed", "failed", "the content has changed since it was split, or loaded in part"),
		handlers.DocCode("corrupt", "failed", "the compressed content ends early"),
		handlers.DocCode("bad-format", "failed", "a compression or encoding that it does not read"),
		handlers.DocCode("bad-table", "failed", "the table does not exist, or does not fit the mapping"),
	)
}
