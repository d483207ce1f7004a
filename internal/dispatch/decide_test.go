package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestDecide(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	sealed := ledger.Backlog{Files: 10_000, Bytes: 10_000, Sealed: true}
	open := ledger.Backlog{Files: 130, Bytes: 130}
	hundred := tasks.BatchPolicy{MaxItems: 100, MaxDelay: time.Second}
	known := cost.Estimate{Cost: cost.Cost{PerFile: 0.1}, Known: true, Seconds: 1000}

	for name, tt := range map[string]struct {
		s      situation
		w      windowControl
		want   decision
		window int
	}{
		"the slots are unknown: the whole window": {
			s: situation{backlog: sealed, maxWindow: 8, policy: hundred}, want: decision{files: 800, room: 8},
		},
		"twice the slots and two at first": {
			s: situation{backlog: sealed, slots: 4, maxWindow: 64, policy: hundred}, want: decision{files: 1000, room: 10}, window: 10,
		},
		"workers nearly emptied the window: it doubles": {
			s: situation{backlog: sealed, slots: 4, maxWindow: 64, policy: hundred}, w: windowControl{window: 10, inputLimited: true},
			want: decision{files: 2000, room: 20}, window: 20,
		},
		"workers are slow: the window shrinks": {
			s:    situation{backlog: withOpen(sealed, 30), slots: 4, maxWindow: 64, policy: hundred},
			w:    windowControl{window: 40, inputLimited: true},
			want: decision{files: 700, room: 7}, window: 37,
		},
		"a full window": {
			s: situation{backlog: withOpen(sealed, 64), slots: 4, maxWindow: 64, policy: hundred}, w: windowControl{window: 64}, window: 64,
		},
		"no capacity": {
			s: situation{backlog: withOpen(sealed, 64), maxWindow: 64, policy: hundred},
		},
		"no files left": {
			s: situation{backlog: ledger.Backlog{Files: 5, Cursor: 5, Sealed: true}, slots: 4, maxWindow: 64, policy: hundred}, window: 10,
		},
		"an open transfer: full batches only": {
			s: situation{backlog: open, slots: 4, maxWindow: 64, policy: hundred}, want: decision{files: 100, room: 10}, window: 10,
		},
		"an open transfer: the rest waits for its delay": {
			s: situation{backlog: ledger.Backlog{Files: 30}, slots: 4, maxWindow: 64, policy: hundred}, window: 10,
		},
		"an open transfer: the delay has passed": {
			s: situation{backlog: ledger.Backlog{Files: 30}, slots: 4, maxWindow: 64, policy: hundred},
			w: windowControl{first: 1, since: now.Add(-time.Second)}, want: decision{files: 30, room: 10}, window: 10,
		},
		"unknown costs and a target: two probes a slot": {
			s: situation{
				backlog: sealed, slots: 3, maxWindow: 64, policy: tasks.BatchPolicy{MaxItems: 1000},
				budget: batcher.NewBudget(cost.Estimate{}, 10*time.Second, remainingOf(&sealed), 3),
			},
			want: decision{files: 6 * 17, room: 6}, window: 8,
		},
		"known costs and a target: batches of the target": {
			s: situation{
				backlog: sealed, slots: 3, maxWindow: 64, policy: tasks.BatchPolicy{MaxItems: 1000},
				budget: batcher.NewBudget(known, 10*time.Second, remainingOf(&sealed), 3),
			},
			want: decision{files: 8 * 101, room: 8}, window: 8,
		},
		"the tail of a sealed transfer is shared among the slots": {
			s: situation{
				backlog: ledger.Backlog{Files: 90, Bytes: 90, Sealed: true}, slots: 3, maxWindow: 64, policy: tasks.BatchPolicy{MaxItems: 1000},
				budget: batcher.NewBudget(known, 0, batcher.Remaining{Files: 90, Bytes: 90}, 3),
			},
			want: decision{files: 90, room: 8}, window: 8,
		},
		"sharing with a transfer of three times its weight: as many batches as slots": {
			s:    situation{backlog: sealed, slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 1, others: 3}},
			want: decision{files: 400, room: 4}, window: 10,
		},
		"sharing with one of a third of its weight: three times as many": {
			s:    situation{backlog: sealed, slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 3, others: 1}},
			want: decision{files: 1200, room: 12}, window: 10,
		},
		"another transfer comes: open batches count against the part": {
			s: situation{
				backlog: withOpen(sealed, 5), slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 1, others: 1, othersOpen: 0},
			}, w: windowControl{window: 10, inputLimited: true}, window: 10,
		},
		"the window grows for all that share it": {
			s: situation{
				backlog: withOpen(sealed, 0), slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 1, others: 3, othersOpen: 2},
			}, w: windowControl{window: 10, inputLimited: true}, want: decision{files: 500, room: 5}, window: 20,
		},
		"the window does not grow while the others have enough in the queue": {
			s: situation{
				backlog: withOpen(sealed, 0), slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 1, others: 3, othersOpen: 5},
			}, w: windowControl{window: 10, inputLimited: true}, want: decision{files: 400, room: 4}, window: 10,
		},
		"sharing with very many: enough for every slot when the others stand still": {
			s:    situation{backlog: sealed, slots: 4, maxWindow: 64, policy: hundred, shared: shared{weight: 1, others: 99}},
			want: decision{files: 400, room: 4}, window: 10,
		},
		"the slots are unknown: a part of the whole window": {
			s: situation{backlog: sealed, maxWindow: 8, policy: hundred, shared: shared{weight: 1, others: 1}}, want: decision{files: 400, room: 4},
		},
		"unknown costs, sharing with another: one probe a slot": {
			s: situation{
				backlog: sealed, slots: 3, maxWindow: 64, policy: tasks.BatchPolicy{MaxItems: 1000}, shared: shared{weight: 1, others: 1},
				budget: batcher.NewBudget(cost.Estimate{}, 10*time.Second, remainingOf(&sealed), 3),
			},
			want: decision{files: 3 * 17, room: 3}, window: 8,
		},
		"never more than one dispatch reads": {
			s: situation{
				backlog: ledger.Backlog{Files: 1_000_000, Sealed: true}, maxWindow: 64, policy: tasks.BatchPolicy{MaxItems: 100_000},
			},
			want: decision{files: maxFilesPerDispatch, room: 64},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.s.now = now
			got, w := decide(tt.s, tt.w)
			if got != tt.want || w.window != tt.window {
				t.Errorf("got %+v and a window of %d, want %+v and %d", got, w.window, tt.want, tt.window)
			}
		})
	}
}

func withOpen(b ledger.Backlog, open int) ledger.Backlog {
	b.Open = open
	return b
}

func TestCapacityWithinLimits(t *testing.T) {
	policy := func(int) tasks.BatchPolicy { return tasks.BatchPolicy{MaxItems: 100} }
	for name, tt := range map[string]struct {
		slots, inFlight int
		rate            float64
		want, items     int
	}{
		"no limits":                  {slots: 4, want: 4, items: 100},
		"fewer in flight than slots": {slots: 4, inFlight: 2, want: 2, items: 100},
		"more in flight than slots":  {slots: 4, inFlight: 9, want: 4, items: 100},
		"the slots are unknown":      {inFlight: 9, want: 9, items: 100},
		"a rate below a batch":       {slots: 4, rate: 7.5, want: 4, items: 8},
		"a rate above a batch":       {slots: 4, rate: 750, want: 4, items: 100},
	} {
		t.Run(name, func(t *testing.T) {
			c := capacity{slots: tt.slots, policy: policy}.within(tt.inFlight, tt.rate)
			if c.slots != tt.want || c.policy(1).MaxItems != tt.items {
				t.Errorf("%d slots and %d items, want %d and %d", c.slots, c.policy(1).MaxItems, tt.want, tt.items)
			}
		})
	}
}

func TestTransfersShareTheWorkersOfTheirQueue(t *testing.T) {
	got := sharedBy([]ledger.Backlog{
		{Transfer: 1, Queue: "a", Weight: 1, Open: 2},
		{Transfer: 2, Queue: "a", Weight: 3, Open: 5},
		{Transfer: 3, Queue: "b", Weight: 9, Open: 7},
		{Transfer: 4, Queue: "a", Weight: 50, Open: 90, Via: tasks.ViaGroup},
		{Transfer: 5, Queue: "c", Weight: -4},
		{Transfer: 6, Queue: "c", Weight: 1 << 30},
	})
	want := []shared{
		{weight: 1, others: 3, lightest: 1, othersOpen: 5}, {weight: 3, others: 1, lightest: 1, othersOpen: 2}, {weight: 9, lightest: 9}, {},
		{weight: 1, others: 100, lightest: 1}, {weight: 100, others: 1, lightest: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
