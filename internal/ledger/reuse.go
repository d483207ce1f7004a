package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// ReuseKey identifies results that can stand for each other.
type ReuseKey struct {
	File        [20]byte // of the content, or of path, size and modification time
	Fingerprint [16]byte // of the handler, its version and its arguments
}

// Reusable says under which key a result can be taken over later.
type Reusable struct {
	ReuseKey

	Handler string
	Ran     tasks.Reused // where the handler ran
}

// ReuseQuery asks for results that files of a step can take over.
type ReuseQuery struct {
	Transfer int64
	Step     int
	Keys     map[int64]ReuseKey // by file
	Since    time.Time          // the handler ended not before
}

// ReuseCount counts the results of a handler that can be taken over.
type ReuseCount struct {
	Handler        string
	Results        int64
	Oldest, Newest time.Time // when the handler ended
}
