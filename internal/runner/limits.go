package runner

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// admit lets a batch in when the ceilings that concern it have room.
func (r *Runner) admit(ctx context.Context, m tasks.BatchMessage) (leave func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.stopping, func() { cancel(errStopping) })() //nolint:contextcheck // cancel is that of ctx
	keys := []string{tasks.LimitKey(tasks.ScopeAll, "")}
	if e, err := r.Transfers.Get(ctx, m.Transfer); err == nil { // else receive says what is wrong
		keys = append(keys, admission.LimitKeys(e)...)
	}
	files := 1
	if named, err := tasks.ParseRanges(m.Files); err == nil { // only the ledger's are trusted, but for pace these do
		files = max(named.Len(), 1)
	}
	leave, err = r.limiter.Enter(ctx, keys, files)
	if full, ok := errors.AsType[*admission.ThrottledError](err); ok {
		r.Metrics.Throttled(string(full.Reason))
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return leave, err
}

// SetLimits takes the worker's parts of the ceilings that people have set; no parts
// are no bounds. It reports whether parts are still being handed from one worker
// to another, so that it is worth asking again soon.
func (r *Runner) SetLimits(parts []ledger.LimitShare) (unsettled bool) {
	r.limiter.SetShares(parts)
	r.Metrics.SetLimits(parts)
	return r.limiter.Unsettled()
}

// LimitsInUse is what the worker may have in hand of each ceiling at most, by its key,
// until Obey is called next.
func (r *Runner) LimitsInUse() map[string]int { return r.limiter.InUse() }

// Blocked reports whether the ceilings leave nothing at all to this worker.
func (r *Runner) Blocked() bool { return r.limiter.Blocked() }
