package tasks

import (
	"fmt"
	"time"
)

// DefaultQueue carries the batches of transfers that name no queue.
const DefaultQueue = "default"

// State is the state of a transfer.
type State string

// The states of a transfer: first those of one without trouble, in order.
const (
	StateOpen        State = "open"        // files may still be added; workers process those that are registered
	StateRunning     State = "running"     // sealed: the number of files is final
	StateFinalizing  State = "finalizing"  // every file has ended; the recipe's final steps run
	StateCompleted   State = "completed"   // every file and final step has ended, with or without failures
	StateInterrupted State = "interrupted" // the producer died while the transfer was open
	StateCanceled    State = "canceled"    // a person canceled it
)

// Ended reports whether the state is an end: nothing runs any more.
func (s State) Ended() bool { return s == StateCompleted || s == StateCanceled }

// Via is how a transfer's files reach the queue.
type Via string

// The two ways into the queue.
const (
	ViaGroup Via = "group" // one asynq task per file; the group aggregator makes batches of them
	ViaBulk  Via = "bulk"  // the dispatcher makes batches of ranges of registered files
)

// ParseVia reads group, bulk or auto. For "auto" and "" it returns auto.
func ParseVia(s string, auto Via) (Via, error) {
	switch v := Via(s); v {
	case ViaGroup, ViaBulk:
		return v, nil
	case "", "auto":
		return auto, nil
	}
	return "", fmt.Errorf("unknown way %q: one of auto, group, bulk", s)
}

// Transfer is a set of files submitted together and processed under one recipe.
type Transfer struct {
	ID      int64  // the number in the database
	UUID    string // UUIDv7; the ID that commands and the API show
	Name    string
	Key     string // idempotency key; empty when none was given
	Via     Via
	State   State
	Queue   string   // asynq queue that carries its batches
	Recipe  string   // the recipe's YAML as it was at submission
	Sources []string // absolute paths that were submitted; handlers may read below them

	ByRequests bool      // a client adds its files over HTTP, and seals it
	ByServer   bool      // a server registers its files
	SeenAt     time.Time // when its producer, or a request with files, was last seen

	NoReuse bool // its steps run for every file, also where the recipe says reuse

	Weight int // its share of the workers beside other transfers: see CheckWeight

	DeadlineAt       time.Time // when it ends if it has not ended before; zero: never
	UpdatedAt        time.Time // when a person has changed it, see TransferChange; zero: nobody has
	DeadlineExceeded bool      // that has ended it

	StopAfter StopAfter // how many failures stop it
	Stopped   string    // why so many failures have paused it; empty unless they have

	Selection Selection // which of the files below the sources belong to it

	// List is how far the list is registered that was submitted instead of paths, or the mark
	// of all of it once the transfer is sealed.
	List ListMark

	Files    int64 // files registered
	Bytes    int64 // their sizes added up
	Finished int64 // files that have passed their last step
	Emitted  int64 // files that handlers have made of others, registered or not yet
	Cursor   int64 // number of the last file that the dispatcher has batched or skipped

	CreatedAt time.Time
	SealedAt  time.Time // zero while open
	EndedAt   time.Time // zero until ended
	PausedAt  time.Time // zero unless paused: running batches finish, no further one starts
	Trouble   string    // why Baler has paused it: a row that is invalid; empty when a person has

	// ClockShift is by how much the clock of the times above was set forward while the
	// transfer ran, or back when it is negative: it took that much less than they say.
	ClockShift time.Duration

	// Took is how long it took, or takes so far, when this process has measured that and the
	// clock was set meanwhile: the times above say otherwise. Else it is zero.
	Took time.Duration

	// WaitingFor says what the transfer waits for, when it stands still. Only baler.Explain, the API and
	// the command status set it.
	WaitingFor string

	// TraceParent is the span that submitted the transfer, as a header of W3C Trace Context; empty
	// when traces are off.
	TraceParent string

	// WallTime says where its time went. Only baler.ExplainTime, the API's answer about one transfer, and
	// the command status set it; nil: not asked, or not known.
	WallTime *WallTime

	Steps      []StepProgress // one per recipe step, numbered from 1, with live counters
	Finalizers []FinalizeStep // nil when the recipe has no final steps
}

// StepProgress is one recipe step of a transfer with its live counters.
type StepProgress struct {
	Number   int
	Name     string // the step's name in the recipe
	Handler  string
	Selected int64 // files that its condition has selected so far
	Counts         // results recorded so far, by outcome
	Reused   int64 // those of them that were taken over from earlier transfers

	Limits   []string // names of limits on its batches, see ScopeName
	Approval Approval // whether a person has let its files run; empty: it asks nobody
}

// Totals adds up the counters of all steps.
func (t *Transfer) Totals() Counts {
	var c Counts
	for i := range t.Steps {
		c.Sum(t.Steps[i].Counts)
	}
	return c
}
