package tasks

import (
	"fmt"
	"time"
)

// State is where a transfer stands in its life.
type State string

// The states, in the order of a life that goes well; then the others.
const (
	StateOpen        State = "open"        // files may still be added; those there are processed already
	StateRunning     State = "running"     // sealed: the number of files is final, work goes on
	StateFinalizing  State = "finalizing"  // every file has ended; the recipe's final steps run
	StateCompleted   State = "completed"   // every file and final step has ended, whether well or not
	StateInterrupted State = "interrupted" // the producer died while the transfer was open
	StateCanceled    State = "canceled"    // a person stopped it
)

// Ended reports whether nothing more will happen in this state.
func (s State) Ended() bool { return s == StateCompleted || s == StateCanceled }

// Via is the way by which a transfer's files reach the queue.
type Via string

// The two ways into the queue.
const (
	ViaGroup Via = "group" // one asynq task a file, coalesced by the group aggregator
	ViaBulk  Via = "bulk"  // ranges of registered files, cut into batches by the dispatcher
)

// ParseVia reads a way as people type it; "auto" and "" give auto.
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
	ID      int64  // number inside the database
	UUID    string // UUIDv7 shown outside
	Name    string
	Key     string // idempotency key; empty when none was given
	Via     Via
	State   State
	Queue   string   // asynq queue that carries its batches
	Recipe  string   // the recipe's YAML as it was at submission
	Sources []string // absolute paths that were submitted; handlers may read below them

	Files    int64 // files registered
	Bytes    int64 // their sizes added up
	Finished int64 // files that have passed their last step
	Cursor   int64 // number of the last file that the dispatcher has dealt with

	CreatedAt time.Time
	SealedAt  time.Time // zero while open
	EndedAt   time.Time // zero until ended
	PausedAt  time.Time // zero unless a person paused it: what is in hand ends, nothing more starts

	Steps      []Step         // live counters, one a recipe step, numbered from 1
	Finalizers []FinalizeStep // what is done once its last file has ended; nil when the recipe has nothing of the kind
}

// Step is one recipe step of a transfer with its live counters.
type Step struct {
	Number   int
	Name     string // the step's name in the recipe
	Handler  string
	Selected int64 // files that its condition selected so far
	Counts         // results recorded so far, by outcome
}

// Totals adds up the counters of all steps.
func (t *Transfer) Totals() Counts {
	var c Counts
	for i := range t.Steps {
		c.Sum(t.Steps[i].Counts)
	}
	return c
}
