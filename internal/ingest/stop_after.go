package ingest

import "github.com/balerhq/baler/tasks"

// checkStopAfter reports why a submission cannot have this limit of failures.
func checkStopAfter(text string) error {
	_, err := tasks.ParseStopAfter(text)
	return err
}

// stopAfter is the limit of a request, or that of its recipe when it has none.
func (s *TransferRequest) stopAfter() tasks.StopAfter {
	if s.StopAfter == "" {
		return s.Recipe.StopAfter
	}
	limit, _ := tasks.ParseStopAfter(s.StopAfter) // Sources has checked it
	return limit
}

// deadline is that of a request, or that of its recipe when it has none.
func (s *TransferRequest) deadline() tasks.Deadline {
	if s.Deadline == "" {
		return tasks.Deadline{After: s.Recipe.Deadline}
	}
	d, _ := tasks.ParseDeadline(s.Deadline) // Sources has checked it
	return d
}
