package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// WorkTime is what a worker says about the time of one step of a transfer: it is added to
// what the worker has said before.
type WorkTime struct {
	Transfer  int64
	Step      int
	Worker    string
	StartedAt time.Time // of the worker's process
	Slots     int

	// From and Until are the part of the transfer's time that the worker speaks about: from
	// when both existed until the end of its last batch, or now.
	From, Until time.Time

	Parts    tasks.TimeByPart
	Handlers time.Duration // what its batches spent in the handler, added up
}

// Gap is what a worker knows about the time before it claims a batch.
type Gap struct {
	TransferCreatedAt time.Time
	BatchCreatedAt    time.Time

	PausedFrom, PausedUntil time.Time // the last pause of the transfer that is over; zero: none
	ApprovedAt              time.Time // when the batch's step was approved; zero: it asks nobody
}
