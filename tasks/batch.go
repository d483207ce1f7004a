package tasks

import "time"

// Batch is several tasks of one transfer and one step, run together. Its row
// is the ledger: written before its message, deleted when it is closed.
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

	// FencingToken is the fencing token: whoever takes over a batch that may have
	// run before raises it, and what an earlier holder records is refused.
	FencingToken int

	// Crashes is 0 until a worker dies with this batch in hand, be it of something
	// else, and then counts the runs of it alone that nobody saw the end of.
	Crashes int
}

// Items is the number of files in the batch.
func (b *Batch) Items() int { return b.Files.Len() }
