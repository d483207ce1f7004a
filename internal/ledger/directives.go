package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// RateShareValid is how long after it asked for its shares a worker may use its share of the
// files a second. It then stops by itself, and others get the share: no running batch depends
// on it. It is two of the default heartbeats, and some time for the database to answer.
const RateShareValid = 12 * time.Second

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

	// RateShare is the Rate once all workers have adjusted. Rate is less while others still
	// use some of it.
	RateShare float64
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
