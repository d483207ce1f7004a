package handlers

import (
	"context"
	"errors"
	"slices"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// admit lets a batch in when the ceilings that concern it have room.
func (r *Runner) admit(ctx context.Context, m tasks.BatchMessage) (leave func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.stopping, func() { cancel(errStopping) })() //nolint:contextcheck // cancel is that of ctx
	keys := []string{store.CeilingKey(store.OverAll, "")}
	if e, err := r.Catalog.Get(ctx, m.Transfer); err == nil { // else receive says what is wrong
		keys = append(keys, keysOf(e)...)
	}
	files := 1
	if named, err := tasks.ParseRanges(m.Files); err == nil { // only the ledger's are trusted, but for pace these do
		files = max(named.Len(), 1)
	}
	leave, err = r.gate.enter(ctx, keys, files)
	if full, ok := errors.AsType[*ThrottledError](err); ok {
		r.Metrics.throttled(full.Bound)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return leave, err
}

func keysOf(e *batcher.Entry) []string {
	return []string{store.CeilingKey(store.OverQueue, e.Queue), store.CeilingKey(store.OverTransfer, e.UUID)}
}

// Obey takes the worker's parts of the ceilings that people have set; no parts
// are no bounds. It reports whether parts are still being handed from one worker
// to another, so that it is worth asking again soon.
func (r *Runner) Obey(parts []store.Part) (unsettled bool) {
	r.gate.obey(parts)
	r.Metrics.bounded(parts)
	return r.gate.unsettled()
}

// Held is what the worker may have in hand of each ceiling at most, by its key,
// until Obey is called next.
func (r *Runner) Held() map[string]int { return r.gate.held() }

// Shut reports whether the ceilings leave nothing at all to this worker.
func (r *Runner) Shut() bool { return r.gate.shut() }

// Within is the least that ceilings allow a transfer: batches in flight and
// files a second by all workers together, 0 for no bound.
func Within(e *batcher.Entry, all []store.Ceiling) (inFlight int, filesPerSecond float64) {
	keys := append(keysOf(e), store.CeilingKey(store.OverAll, ""))
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
