package dispatch

import (
	"cmp"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// situation is all that a dispatch decision depends on.
type situation struct {
	backlog   ledger.Backlog
	slots     int               // batches that all live workers run at once, within people's limits; 0 when nobody knows
	maxWindow int               // unfinished batches that a transfer may have
	policy    tasks.BatchPolicy // of the first step, within people's limits
	budget    batcher.Budget    // of the first step
	now       time.Time
}

// decision says how much of a backlog to dispatch now. The zero value is
// nothing.
type decision struct {
	files int // to look at, at most
	room  int // batches to make, at most
}

// batchesToProbe is how many batches a slot gets while nobody knows what they
// cost: one to run, and one for when that has ended.
const batchesToProbe = 2

// decide says how much of a backlog to dispatch, and how the transfer's window
// stands then. It reads and writes nothing else.
func decide(s situation, w windowControl) (decision, windowControl) {
	room := w.room(s.backlog.Open, s.slots, s.maxWindow)
	rest := remainingOf(&s.backlog)
	w.inputLimited = rest.Files > 0
	if s.budget.Probing() {
		room = min(room, batchesToProbe*max(s.slots, 1)-s.backlog.Open)
		w.inputLimited = false // on purpose
	}
	if items := s.budget.Items(rest); items > 0 {
		s.policy.MaxItems = min(cmp.Or(s.policy.MaxItems, items), items)
	}
	ready := w.readyFiles(&s.backlog, s.policy, s.now)
	if room <= 0 || ready == 0 {
		return decision{}, w
	}
	return decision{files: min(ready, maxFilesPerDispatch, room*max(s.policy.MaxItems, 1)), room: room}, w
}
