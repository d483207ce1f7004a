package ledger

import "github.com/balerhq/baler/tasks"

// LimitShare is one worker's share of a limit.
type LimitShare struct {
	tasks.Limit

	// Share is how many batches the worker may run once all workers have adjusted,
	// and Max how many it may run now: less while others still use some of its
	// share. Both are 0 when the limit has no InFlight bound.
	Share, Max int

	Rate float64 // files a second; 0: no limit
}

// WorkerDirectives are the answer to a worker's heartbeat.
type WorkerDirectives struct {
	State  tasks.DesiredState
	Shares []LimitShare // of every limit

	LogLevel string // see tasks.Worker
}
