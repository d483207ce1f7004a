package handlers

import (
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// closingEnd decides what follows a try, counted from 1, of a closing step.
func closingEnd(err error, tries int, retry Retry) store.ClosingEnd {
	if err == nil {
		return store.ClosingEnd{State: tasks.ClosingDone}
	}
	v, reason := verdictOf(err)
	if code := v.code; code != "" && code != CodeError && code != CodePanic {
		reason = code + ": " + reason
	}
	end := store.ClosingEnd{State: tasks.ClosingFailed, Reason: reason}
	switch {
	case !v.outcome.Stops():
		end.State = tasks.ClosingDone
	case v.outcome.Retriable() && tries < retry.Attempts:
		end.State, end.Again = tasks.ClosingWaiting, jitter(retry.Delay(tries))
	}
	return end
}
