package tasks

import "time"

// Worker is a live process that takes batches.
type Worker struct {
	Name         string
	Handlers     []string
	Slots        int // batches it runs at once
	Version      string
	DesiredState DesiredState       // set by a person
	LimitsInUse  map[string]int     // batches of each limit that it runs or has reserved, by Limit.Key
	RatesInUse   map[string]float64 // files a second of each limit that it may start, by Limit.Key
	StartedAt    time.Time
	SeenAt       time.Time
	Queues       []string      // that it takes batches from, sorted
	SigningKeys  []string      // names of the keys that sign and verify its messages; none: messages are not signed
	Throttled    []string      // limits that have just kept batches out, by Limit.Key; sorted
	WriteTime    time.Duration // what writing its row has taken, twice in a row at least; 0: not known
	Host         string        // on which it runs
	LimitsWanted []string      // limits on batches that have just come to it, by Limit.Key; sorted
	LogLevel     string        // set by a person: debug, info, warn or error; empty: that of its settings
	Trouble      string        // why its row in the database cannot be read; only its name is known then
}

// DesiredState is the state that a person has set for a worker.
type DesiredState string

// The desired states.
const (
	WorkerRunning  DesiredState = ""      // take batches
	WorkerPaused   DesiredState = "pause" // take none until set to running
	WorkerDraining DesiredState = "drain" // finish running batches, then exit
)
