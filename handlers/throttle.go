package handlers

import (
	"context"
	"errors"
	"slices"

	"github.com/balerhq/baler/internal/dispatch"
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
		keys = append(keys, keysOf(e)...)
	}
	files := 1
	if named, err := tasks.ParseRanges(m.Files); err == nil { // only the ledger's are trusted, but for pace these do
		files = max(named.Len(), 1)
	}
	leave, err = r.limiter.enter(ctx, keys, files)
	if full, ok := errors.AsType[*ThrottledError](err); ok {
		r.Metrics.throttled(full.Reason)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return leave, err
}

func keysOf(e *dispatch.TransferPlan) []string {
	return []string{tasks.LimitKey(tasks.ScopeQueue, e.Queue), tasks.LimitKey(tasks.ScopeTransfer, e.UUID)}
}

// SetLimits takes the worker's parts of the ceilings that people have set; no parts
// are no bounds. It reports whether parts are still being handed from one worker
// to another, so that it is worth asking again soon.
func (r *Runner) SetLimits(parts []ledger.LimitShare) (unsettled bool) {
	r.limiter.setShares(parts)
	r.Metrics.bounded(parts)
	return r.limiter.unsettled()
}

// LimitsInUse is what the worker may have in hand of each ceiling at most, by its key,
// until Obey is called next.
func (r *Runner) LimitsInUse() map[string]int { return r.limiter.inUse() }

// Blocked reports whether the ceilings leave nothing at all to this worker.
func (r *Runner) Blocked() bool { return r.limiter.blocked() }

// EffectiveLimits is the least that ceilings allow a transfer: batches in flight and
// files a second by all workers together, 0 for no bound.
func EffectiveLimits(e *dispatch.TransferPlan, all []tasks.Limit) (inFlight int, filesPerSecond float64) {
	keys := append(keysOf(e), tasks.LimitKey(tasks.ScopeAll, ""))
	for i := range all {
		c := &all[i]
		if !slices.Contains(keys, c.Key()) {
			continue
		}
		if c.InFlight > 0 && (inFlight == 0 || c.InFlight < inFlight) {
			inFlight = c.InFlight
		}
		if c.FilesPerSecond > 0 && (filesPerSecond == 0 || c.FilesPerSecond < filesPerSecond) {
			filesPerSecond = c.FilesPerSecond
		}
	}
	return inFlight, filesPerSecond
}
