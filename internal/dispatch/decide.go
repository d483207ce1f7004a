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
	slots     int               // batches that all live workers run at once, within the limits that are set; 0 if unknown
	maxWindow int               // unfinished batches that a transfer may have
	policy    tasks.BatchPolicy // of the first step, within the limits that are set
	budget    batcher.Budget    // of the first step
	shared    shared
	now       time.Time
}

// decision says how much of a backlog to dispatch now. The zero value means nothing.
type decision struct {
	files int // to read, at most
	room  int // batches to make, at most
}

// batchesToProbe is how many batches a slot gets while their costs are unknown: one to
// run, and one to follow it.
const batchesToProbe = 2

// decide returns how much of a backlog to dispatch, and the new state of the transfer's
// window. It reads and writes nothing else.
func decide(s situation, w windowControl) (decision, windowControl) {
	room := w.room(s.backlog.Open, s.slots, s.maxWindow, s.shared)
	rest := remainingOf(&s.backlog)
	w.inputLimited = rest.Files > 0
	if s.budget.Probing() {
		room = min(room, s.shared.part(batchesToProbe*max(s.slots, 1), s.slots)-s.backlog.Open)
		w.inputLimited = false // the window stays small on purpose
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
