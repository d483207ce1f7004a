package tasks

import (
	"encoding/json"
	"time"
)

// DefaultMaxOutput is how many bytes of Output, and of Error, are kept unless the
// configuration says otherwise.
const DefaultMaxOutput = 64 << 10

// Result records how one file ended at one step.
type Result struct {
	Step      int
	File      int64
	Outcome   Outcome
	ExitCode  int
	Code      string // short machine-readable reason, such as "not-found"; empty without one
	Output    string // what the handler wrote, as valid UTF-8; of long output, the head and the tail
	Error     string
	Truncated bool            // Output or Error was cut
	Facts     json.RawMessage // a JSON object; nil without facts
	Attempt   int             // from 1
	Worker    string
	StartedAt time.Time // UTC, microseconds
	EndedAt   time.Time

	// Reused says where the result was taken over from; nil when the handler ran.
	Reused *Reused

	// Emitted are the files that the handler made of the file. They are recorded with the
	// result, and are not among what is read back of one.
	Emitted []File
}

// Reused says where a result was taken over from, see `reuse` in recipes.
type Reused struct {
	Transfer string    // UUID of the transfer in which the handler ran
	File     int64     // number of the file there
	RanAt    time.Time // when the handler ended, UTC
}
