package admission

import (
	"slices"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/tasks"
)

// LimitKeys returns the keys of all limits on the batches of a step. declared are the names
// that the step's handler declares.
func LimitKeys(e *dispatch.TransferPlan, step int, declared []string) []string {
	s := e.Step(step)
	keys := []string{
		tasks.LimitKey(tasks.ScopeAll, ""), tasks.LimitKey(tasks.ScopeQueue, e.Queue), tasks.LimitKey(tasks.ScopeTransfer, e.UUID),
		tasks.LimitKey(tasks.ScopeHandler, s.Handler),
	}
	for _, name := range slices.Concat(s.Limits, declared) {
		if key := tasks.LimitKey(tasks.ScopeName, name); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// EffectiveLimits returns the strictest of the limits with these keys: batches in flight and
// files a second over all workers, 0 for no limit. hosts is on how many hosts workers run.
func EffectiveLimits(keys []string, all []tasks.Limit, hosts int) (inFlight int, filesPerSecond float64) {
	atMost := func(n int) {
		if n > 0 && (inFlight == 0 || n < inFlight) {
			inFlight = n
		}
	}
	for i := range all {
		c := &all[i]
		if !slices.Contains(keys, c.Key()) {
			continue
		}
		atMost(c.InFlight)
		atMost(c.PerHost * max(hosts, 1))
		if c.FilesPerSecond > 0 && (filesPerSecond == 0 || c.FilesPerSecond < filesPerSecond) {
			filesPerSecond = c.FilesPerSecond
		}
	}
	return inFlight, filesPerSecond
}
