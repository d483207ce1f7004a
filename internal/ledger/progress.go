package ledger

import "github.com/balerhq/baler/tasks"

// BatchProgress says which files of a batch take long, and how far they are. Of a file it has
// the number, when the work on it began, and the progress.
type BatchProgress struct {
	Batch        int64
	FencingToken int
	Files        []tasks.RunningFile
}
