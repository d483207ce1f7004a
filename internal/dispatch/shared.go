package dispatch

import (
	"cmp"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// shared describes the transfers with which one shares the workers: the others of its queue
// that have files to dispatch. The zero value means that there are none.
type shared struct {
	weight, others int // its weight, and those of the others added up
	lightest       int // the smallest of these weights
	othersOpen     int // unfinished batches of the others
}

// part returns how many of n batches are the transfer's. When the workers run slots batches
// at once, n is raised until each transfer has that many, so that any one of them can keep
// the workers busy while the others make no progress.
func (s shared) part(n, slots int) int {
	if s.others == 0 {
		return n
	}
	all := s.weight + s.others
	n = max(n, slots*all/max(s.lightest, 1))
	return max((n*s.weight+all-1)/all, 1)
}

// promotes reports whether the next batch of a backlog starts before those of others. It
// does when the transfer has none in the queue, so that a new transfer waits for a free
// slot, not for the whole backlog of a large one. After that, the order of the queue gives
// each transfer its share.
func (s shared) promotes(b *ledger.Backlog) bool {
	return b.Open == 0 && (b.Cursor == 0 || s.others == 0)
}

// sharedBy returns the shared of each backlog. It leaves out transfers by group, because
// they have no window: the queue has their files already.
func sharedBy(backlogs []ledger.Backlog) []shared {
	type sum struct{ weight, lightest, open int }
	queues := make(map[string]sum)
	for i := range backlogs {
		if b := &backlogs[i]; b.Via != tasks.ViaGroup {
			q := queues[b.Queue]
			queues[b.Queue] = sum{q.weight + weight(b), min(cmp.Or(q.lightest, weight(b)), weight(b)), q.open + b.Open}
		}
	}
	parts := make([]shared, len(backlogs))
	for i := range backlogs {
		if b := &backlogs[i]; b.Via != tasks.ViaGroup {
			q := queues[b.Queue]
			parts[i] = shared{weight: weight(b), others: q.weight - weight(b), lightest: q.lightest, othersOpen: q.open - b.Open}
		}
	}
	return parts
}

// weight returns the weight of a transfer. It corrects a value in the row that is out of
// range.
func weight(b *ledger.Backlog) int { return min(max(b.Weight, 1), tasks.MaxWeight) }
