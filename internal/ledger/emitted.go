package ledger

import "github.com/balerhq/baler/tasks"

// EmittedPage asks for files that handlers have emitted to be registered.
type EmittedPage struct {
	Transfer int64
	Limit    int // files at most

	// Start makes the batches in which the files start, after they have their numbers. Nil
	// leaves that to the dispatch of registered files.
	Start func(files []tasks.File) FollowUp

	// Collected says that the files belong to the collection of the transfer's run.
	Collected bool
}

// EmittedFiles is how much a file from the sources has brought forth so far.
type EmittedFiles struct {
	Files, Bytes int64
	TopSize      int64 // of the file from the sources
}

// EmittedFolder is a folder for what a step makes of a file.
type EmittedFolder struct {
	File int64
	Path string
}
