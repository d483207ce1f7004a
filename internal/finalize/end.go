package finalize

import (
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// outcomeOf decides what follows an attempt, counted from 1, of a final step.
func outcomeOf(err error, attempt int, retry tasks.RetryPolicy) ledger.FinalizeOutcome {
	state, reason, retriable := handlers.FinalizerVerdict(err)
	if retriable && attempt < retry.Attempts {
		return ledger.FinalizeOutcome{State: tasks.FinalizeWaiting, Reason: reason, Again: backoff.Jitter(retry.Delay(attempt))}
	}
	return ledger.FinalizeOutcome{State: state, Reason: reason}
}
