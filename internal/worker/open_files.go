package worker

import "fmt"

const (
	// openFilesFixed is how many files every process opens: connections to Redis, polling,
	// standard streams, the sources of a scan.
	openFilesFixed = 48

	// openFilesPerBatch is how many files each running batch opens: a folder, a file, and
	// both ends of its connections to an embedded queue.
	openFilesPerBatch = 8

	// defaultConnections is about how many files the connections to the database take.
	defaultConnections = 16
)

// OpenFilesNeeded is how many open files the system must allow for a process that runs
// concurrency batches at once. connections is the configured number of connections to
// the database; 0 is the default.
func OpenFilesNeeded(concurrency, connections int) int {
	return openFilesFixed + max(connections, defaultConnections) + openFilesPerBatch*concurrency
}

// FitOpenFiles returns how many batches at once the limit of open files allows, at most
// concurrency. It returns an error when there is no room for any.
func FitOpenFiles(limit, concurrency, connections int) (int, error) {
	for n := max(concurrency, 1); n > 0; n-- {
		if OpenFilesNeeded(n, connections) <= limit {
			return min(n, concurrency), nil
		}
	}
	return 0, fmt.Errorf("the system allows this process %d open files, and it needs at least %d, or %d for %d batches at once: "+
		"raise the limit, for example with 'ulimit -n %d'", limit, OpenFilesNeeded(1, connections),
		OpenFilesNeeded(concurrency, connections), concurrency, OpenFilesNeeded(concurrency, connections))
}
