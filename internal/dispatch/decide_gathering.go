package dispatch

import (
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// gathered says which batches of a gathering are sent now.
type gathered int

const (
	gatherNothing gathered = iota
	gatherFull             // full batches only; the other files wait for more
	gatherAll
)

// decideGathering returns how much of a gathering is sent now. It reads and writes
// nothing. The files wait as files of a first step do: until they fill a batch, at most
// for the delay of the policy, and not at all when no more can come.
func decideGathering(g ledger.Gathering, policy tasks.BatchPolicy, budget batcher.Budget, now time.Time) gathered {
	switch {
	case g.Complete, g.State == tasks.StateCanceled, now.Sub(g.Since) >= policy.MaxDelay:
		return gatherAll
	case budget.Fills(policy, g.Items, g.Bytes):
		return gatherFull
	}
	return gatherNothing
}
