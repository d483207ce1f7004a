package admission

import (
	"slices"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/tasks"
)

// LimitKeys returns the keys of the limits on a transfer's queue and on the transfer.
func LimitKeys(e *dispatch.TransferPlan) []string {
	return []string{tasks.LimitKey(tasks.ScopeQueue, e.Queue), tasks.LimitKey(tasks.ScopeTransfer, e.UUID)}
}

// EffectiveLimits returns the strictest of all limits on a transfer: batches in flight
// and files a second over all workers, 0 for no limit.
func EffectiveLimits(e *dispatch.TransferPlan, all []tasks.Limit) (inFlight int, filesPerSecond float64) {
	keys := append(LimitKeys(e), tasks.LimitKey(tasks.ScopeAll, ""))
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
