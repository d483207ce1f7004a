package ledger

import "github.com/balerhq/baler/tasks"

// FileSearch looks for files of a transfer without an index, a stretch at a time.
type FileSearch struct {
	Text      string // part of the path
	Extension string // of the path, in small letters with its dot; when it is set, Text does not count
	Value     string // that a fact has, such as a digest or a PUID; when it is set, the others do not count
	After     tasks.ResultKey
	Limit     int
}

// FilesFound is what one stretch of a search has found.
type FilesFound struct {
	Files    []tasks.File
	Searched int64           // files, or results, that were looked at
	Next     tasks.ResultKey // where the next stretch begins; zero when all was searched
}

// FileStory is what is known about one file besides its results.
type FileStory struct {
	File     tasks.File
	Attempts []tasks.Result // that did not last, the oldest first
	Made     []tasks.File   // that handlers made of it, the first ones
	Earlier  []FileBefore   // the same path in other transfers, the newest first
}

// FileBefore is a file of another transfer with the same path.
type FileBefore struct {
	Transfer tasks.Transfer // without its steps
	No       int64
	Size     int64
}
