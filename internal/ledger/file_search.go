package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// FileSearch looks for files of a transfer without an index, a stretch at a time.
type FileSearch struct {
	Text      string // part of the path
	Extension string // of the path, in small letters with its dot; when it is set, Text does not count
	Value     string // that a fact has, such as a digest or a PUID; when it is set, the others do not count
	After     int64  // the number of the last file that was searched before
	Limit     int
	Time      time.Duration // after which the stretch ends; 0: no limit
}

// FilesFound is what one stretch of a search has found.
type FilesFound struct {
	Files    []tasks.File
	Searched int64 // files that were looked at
	Next     int64 // the number of the last of them; 0 when all were searched
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
