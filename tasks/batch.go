package tasks

import "time"

// Batch is several tasks of one transfer and one step, run together. Its row in
// the ledger is written before its message and deleted when the batch is completed.
type Batch struct {
	ID       int64
	Transfer int64
	Step     int
	Attempt  int // 1…
	Files    Ranges
	Bytes    int64
	Queue    string

	// NotBefore is when a later attempt may start; zero means at once.
	NotBefore time.Time

	// FencingToken rises whenever a worker takes over a batch that may have run
	// before. Recordings with an older token are refused.
	FencingToken int

	// Gathering says that the batch is not sent: it waits in the ledger until the
	// dispatcher has gathered enough others of its transfer, step and attempt.
	Gathering bool

	// Crashes counts worker crashes while this batch ran. From the second on, it
	// counts only runs of this batch alone.
	Crashes int

	// InheritedCrashes counts crashes of the larger batches that this one was part of.
	// Alone they never make a file fail: its neighbours may have caused them.
	InheritedCrashes int
}

// Items is the number of files in the batch.
func (b *Batch) Items() int { return b.Files.Len() }
