package ledger

import "github.com/balerhq/baler/tasks"

// LimitShare is one worker's share of a limit.
type LimitShare struct {
	tasks.Limit

	// OnHost says that InFlight is the limit's PerHost, and that the worker shares it only
	// with the workers of its host.
	OnHost bool

	// Share is how many batches the worker may run once all workers have adjusted,
	// and Max how many it may run now: less while others still use some of its
	// share. Both are 0 when the limit has no InFlight bound.
	Share, Max int

	Rate float64 // files a second; 0: no limit, or none of them while FilesPerSecond is set
}

// Key identifies what is shared.
func (p *LimitShare) Key() string {
	if p.OnHost {
		return tasks.HostLimitKey(p.Limit.Key())
	}
	return p.Limit.Key()
}

// WorkerDirectives are the answer to a worker's heartbeat.
type WorkerDirectives struct {
	State  tasks.DesiredState
	Shares []LimitShare // of every limit

	QueueWeights map[string]int // weights of queues that a person has set, by their names
	LogLevel     string         // see tasks.Worker
}
