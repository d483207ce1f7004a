package handlers

import (
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// finalizeOutcome decides what follows a try, counted from 1, of a final step.
func finalizeOutcome(err error, tries int, retry tasks.RetryPolicy) ledger.FinalizeOutcome {
	if err == nil {
		return ledger.FinalizeOutcome{State: tasks.FinalizeDone}
	}
	v, reason := verdictOf(err)
	if code := v.code; code != "" && code != CodeError && code != CodePanic {
		reason = code + ": " + reason
	}
	end := ledger.FinalizeOutcome{State: tasks.FinalizeFailed, Reason: reason}
	switch {
	case !v.outcome.StopsRecipe():
		end.State = tasks.FinalizeDone
	case v.outcome.Retriable() && tries < retry.Attempts:
		end.State, end.Again = tasks.FinalizeWaiting, jitter(retry.Delay(tries))
	}
	return end
}
