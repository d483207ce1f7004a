package ledger

import "time"

// SlotLength is how long a slot of Activity lasts.
const SlotLength = 10 * time.Second

// Activity is what a transfer recorded in one slot of time.
type Activity struct {
	Slot     int64 // number of the slot since 1970
	Results  int64
	Failed   int64 // of the results
	Finished int64 // files that passed their last step
	Bytes    int64 // of the batches that ended
}

// SlotOf is the number of the slot that a time lies in.
func SlotOf(t time.Time) int64 { return t.Unix() / int64(SlotLength/time.Second) }

// Begin is when the slot began.
func (a *Activity) Begin() time.Time { return time.Unix(a.Slot*int64(SlotLength/time.Second), 0).UTC() }

// PastBatch is a batch that has ended.
type PastBatch struct {
	Batch   int64
	Step    int
	Attempt int
	Worker  string
	Items   int
	Failed  int // results that are failures
	Bytes   int64

	CreatedAt time.Time // when it was made
	StartedAt time.Time // when its first file began; zero when none did
	EndedAt   time.Time // when its last file ended

	Slowest     int64 // number of the file that took longest
	SlowestTook time.Duration
}

// OpenBatch is a batch that waits or runs.
type OpenBatch struct {
	Batch     int64
	Step      int
	Attempt   int
	Items     int
	Bytes     int64
	CreatedAt time.Time
	HeldBy    string // the worker that runs it; empty while it waits
}

// Delivery is a message to a webhook.
type Delivery struct {
	URL       string
	CreatedAt time.Time
	DoneAt    time.Time // zero while it is not delivered or given up
	DueAt     time.Time // of the next attempt; zero when there is none
	Attempts  int
	Error     string // of the last attempt
}
