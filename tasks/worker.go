package tasks

import "time"

// Worker is a live process that takes batches.
type Worker struct {
	Name         string
	Handlers     []string
	Slots        int // batches it runs at once
	Version      string
	DesiredState DesiredState   // what a person wants of it
	LimitsInUse  map[string]int // batches that it may have of each ceiling until it is seen again, by Ceiling.Key
	StartedAt    time.Time
	SeenAt       time.Time
}

// DesiredState is what a person wants of a worker.
type DesiredState string

// The wishes.
const (
	WorkerRunning  DesiredState = ""      // take batches
	WorkerPaused   DesiredState = "pause" // take none until told to go
	WorkerDraining DesiredState = "drain" // finish what is in hand, and end
)
