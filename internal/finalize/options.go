package finalize

import (
	"cmp"
	"errors"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

var (
	errStopping  = errors.New("the worker is stopping")
	errNoHandler = errors.New("this worker does not have the handler")
)

// StepTimeout is the recipe's timeout of a final step, else the handler's.
func StepTimeout(s *recipe.FinalStep, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, reg.Timeouts.File)
}

// stepRetry lays the recipe's retry policy of a final step over the handler's.
func stepRetry(s *recipe.FinalStep, reg handlers.Registration) tasks.RetryPolicy {
	return s.Retry.Overlay(reg.Retry)
}
