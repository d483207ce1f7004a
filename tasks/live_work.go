package tasks

import "time"

// LiveWork is what happens in a transfer just now.
type LiveWork struct {
	Running  []RunningBatches `json:"running"`  // by worker and step; never null
	Files    []RunningFile    `json:"files"`    // those that take long, the longest first; never null
	Failures []RecentFailure  `json:"failures"` // the newest first; never null
}

// RunningBatches counts batches of a step that one worker runs.
type RunningBatches struct {
	Worker  string `json:"worker"`
	Step    string `json:"step"`
	Batches int    `json:"batches"`
}

// RecentFailure is a result that is a failure.
type RecentFailure struct {
	File      int64     `json:"file"`
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"` // base64; only when the path is not valid UTF-8
	Step      string    `json:"step"`
	Outcome   Outcome   `json:"outcome" enum:"failed,error,timed_out"`
	Code      string    `json:"code"`
	Message   string    `json:"message"` // see FailureMessage
	EndedAt   time.Time `json:"ended_at"`
}
