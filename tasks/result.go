package tasks

import (
	"encoding/json"
	"time"
)

// Result records how one file ended at one step.
type Result struct {
	Step      int
	File      int64
	Outcome   Outcome
	ExitCode  int
	Code      string // short machine-readable reason, as "not-found"; empty when all is well
	Output    string // what the handler wrote, valid UTF-8, head and tail kept up to a cap
	Error     string
	Truncated bool            // Output or Error was cut
	Facts     json.RawMessage // a JSON object; nil when the step learnt nothing
	Attempt   int             // 1…
	Worker    string
	StartedAt time.Time // UTC, microseconds
	EndedAt   time.Time
}
