package ledger

import "github.com/balerhq/baler/tasks"

// LimitShare is one worker's part of a ceiling.
type LimitShare struct {
	tasks.Limit

	// Share is how many batches are the worker's when all have settled, and Cap
	// how many it may run for now: less while others still hold some of its
	// share. Both count where LimitInFlight does.
	Share, Max int

	Rate float64 // files a second; 0 for no bound
}

// WorkerDirectives are what a worker is told when it is seen.
type WorkerDirectives struct {
	State  tasks.DesiredState
	Shares []LimitShare // of every ceiling
}
