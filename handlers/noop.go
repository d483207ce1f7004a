package handlers

import "context"

// newNoop succeeds for every file without looking at it.
func newNoop() Handler {
	return HandlerFunc(func(_ context.Context, jobs []*Job) error {
		for _, job := range jobs {
			job.Done()
		}
		return nil
	})
}
