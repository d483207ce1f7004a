package dispatch

import (
	"math"
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

// decideGathering returns how much of a gathering is sent now, and in how many batches at
// most. It reads and writes nothing. ahead is how many batches of the step may be sent and
// not complete, 0 for any number: the others wait in the ledger, where they keep no place in a
// worker from batches that can run. The files wait as files of a first step do: until they fill a batch, at most
// for the delay of the policy, and not at all when no more can come.
func decideGathering(g ledger.Gathering, policy tasks.BatchPolicy, budget batcher.Budget, ahead int, now time.Time) (_ gathered, room int) {
	room = math.MaxInt
	if ahead > 0 && g.State != tasks.StateCanceled {
		room = ahead - g.Sent
	}
	switch {
	case room <= 0:
		return gatherNothing, 0
	case g.Complete, g.State == tasks.StateCanceled, now.Sub(g.Since) >= policy.MaxDelay:
		return gatherAll, room
	case budget.Fills(policy, g.Items, g.Bytes):
		return gatherFull, room
	}
	return gatherNothing, 0
}
