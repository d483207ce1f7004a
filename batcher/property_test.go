package batcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

// entry is an item that the property tests add, with the result of its flush.
type entry struct {
	id    int
	items int
	bytes int64
	pause time.Duration // before it is added
	fails bool
}

// scenario is what happens to a Batcher from New to Close.
type scenario struct {
	policy   tasks.BatchPolicy
	capacity int
	flushers int
	eager    bool
	busy     time.Duration // how long a flush takes
	adders   int
	entries  []entry
}

func drawScenario(t *rapid.T) scenario {
	ms := func(most int, name string) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Millisecond
	}
	p := scenario{
		policy: tasks.BatchPolicy{
			MaxItems: rapid.IntRange(1, 8).Draw(t, "max items"),
			MaxBytes: rapid.Int64Range(1, 20).Draw(t, "max bytes"),
			MaxDelay: time.Millisecond + ms(9, "max delay"),
		},
		capacity: rapid.IntRange(0, 12).Draw(t, "capacity"),
		flushers: rapid.IntRange(1, 3).Draw(t, "flushers"),
		eager:    rapid.Bool().Draw(t, "eager"),
		busy:     ms(20, "busy"),
		adders:   rapid.IntRange(1, 4).Draw(t, "adders"),
	}
	for id := range rapid.IntRange(0, 60).Draw(t, "entries") {
		p.entries = append(p.entries, entry{
			id:    id,
			items: rapid.IntRange(1, 3).Draw(t, "items"),
			bytes: rapid.Int64Range(0, 25).Draw(t, "bytes"),
			pause: ms(6, "pause"),
			fails: rapid.IntRange(0, 9).Draw(t, "fails") == 0,
		})
	}
	return p
}

type added struct {
	future *Future
	at     time.Duration
	err    error // of the future, in the end
}

type flushed struct {
	entries []entry
	at      time.Duration
}

// trace is what was observed of a scenario.
type trace struct {
	added    map[int]*added
	flushed  []flushed
	observed map[Reason]int // items by reason
	peak     int            // most items held at once by several entries, seen from outside
	running  int            // most flushes at once
	problems []string
}

func failure(id int) error { return fmt.Errorf("entry %d: %w", id, errBroken) }

var errBroken = errors.New("broken")

// run runs a scenario, and returns when the Batcher is closed.
func run(p scenario) *trace {
	l := &trace{added: map[int]*added{}, observed: map[Reason]int{}}
	var mu sync.Mutex
	items, entries, running := 0, 0, 0 // what is held, and flushes at once
	start := time.Now()

	b := New(p.policy, func(_ context.Context, batch []entry) error {
		mu.Lock()
		l.flushed = append(l.flushed, flushed{batch, time.Since(start)})
		running++
		l.running = max(l.running, running)
		mu.Unlock()
		time.Sleep(p.busy) // the clock of the synctest bubble
		mu.Lock()
		defer mu.Unlock()
		running--
		entries -= len(batch)
		var each ItemErrors
		for i, entry := range batch {
			items -= entry.items
			if entry.fails {
				each.Set(i, failure(entry.id))
			}
		}
		return each.Err()
	}, Options[entry]{
		Weigh:    func(p entry) (int, int64) { return p.items, p.bytes },
		Capacity: p.capacity,
		Flushers: p.flushers,
		Eager:    p.eager,
		Observe: func(reason Reason, items int, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			l.observed[reason] += items
			if took != p.busy {
				l.problems = append(l.problems, fmt.Sprintf("a flush of %v was observed as %v", p.busy, took))
			}
		},
	})

	var adders sync.WaitGroup
	for a := range p.adders {
		adders.Go(func() {
			for _, entry := range p.entries {
				if entry.id%p.adders != a {
					continue
				}
				time.Sleep(entry.pause)
				f, err := b.Add(context.Background(), entry)
				mu.Lock()
				if err != nil {
					l.problems = append(l.problems, err.Error())
				}
				l.added[entry.id] = &added{future: f, at: time.Since(start)}
				items += entry.items
				if entries++; entries > 1 { // one alone may be above the capacity
					l.peak = max(l.peak, items)
				}
				mu.Unlock()
			}
		})
	}
	adders.Wait()
	if err := b.Close(context.Background()); err != nil {
		l.problems = append(l.problems, err.Error())
	}
	for id, a := range l.added {
		select {
		case <-a.future.Done():
			a.err = a.future.Err()
		default:
			l.problems = append(l.problems, fmt.Sprintf("the future of entry %d has no end", id))
		}
	}
	return l
}

func TestAnyUseOfABatcher(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawScenario(rt)
		var l *trace
		synctest.Test(t, func(*testing.T) { l = run(p) })

		for _, problem := range l.problems {
			rt.Error(problem)
		}
		checkNothingLost(rt, p, l)
		checkLimits(rt, p, l)
		checkOrder(rt, p, l)
		checkFutures(rt, p, l)
		checkDelays(rt, p, l)
	})
}

func checkNothingLost(t *rapid.T, p scenario, l *trace) {
	var ids []int
	items, observed := 0, 0
	for _, f := range l.flushed {
		for _, entry := range f.entries {
			ids = append(ids, entry.id)
			items += entry.items
		}
	}
	slices.Sort(ids)
	for i := range p.entries {
		if i >= len(ids) || ids[i] != i {
			t.Fatalf("of %d entries these were flushed: %v", len(p.entries), ids)
		}
	}
	if len(ids) != len(p.entries) {
		t.Errorf("%d entries were flushed %d times", len(p.entries), len(ids))
	}
	for _, n := range l.observed {
		observed += n
	}
	if observed != items {
		t.Errorf("%d items were flushed, %d observed: %v", items, observed, l.observed)
	}
	if p.eager && l.observed[ReasonDelay] > 0 || !p.eager && l.observed[ReasonIdle] > 0 {
		t.Errorf("reasons %v with eager %v", l.observed, p.eager)
	}
}

func checkLimits(t *rapid.T, p scenario, l *trace) {
	for _, f := range l.flushed {
		items, bytes := 0, int64(0)
		for _, entry := range f.entries {
			items += entry.items
			bytes += entry.bytes
		}
		if len(f.entries) == 0 || len(f.entries) > 1 && (items > p.policy.MaxItems || bytes > p.policy.MaxBytes) {
			t.Errorf("a batch of %d entries, %d items, %d bytes under %+v", len(f.entries), items, bytes, p.policy)
		}
	}
	if l.running > p.flushers {
		t.Errorf("%d flushes at once with %d flushers", l.running, p.flushers)
	}
	if p.capacity > 0 && l.peak > p.capacity {
		t.Errorf("%d items held with a capacity of %d", l.peak, p.capacity)
	}
}

// checkOrder: a single flusher flushes the entries of each adder in the order of their
// Adds. With any number of flushers, each batch is in order.
func checkOrder(t *rapid.T, p scenario, l *trace) {
	last := make([]int, p.adders)
	for _, f := range l.flushed {
		if p.flushers > 1 {
			clear(last)
		}
		for _, entry := range f.entries {
			adder := entry.id % p.adders
			if entry.id < last[adder] {
				t.Errorf("entry %d was flushed after %d", entry.id, last[adder])
			}
			last[adder] = entry.id
		}
	}
}

func checkFutures(t *rapid.T, p scenario, l *trace) {
	for _, entry := range p.entries {
		var want error
		if entry.fails {
			want = failure(entry.id)
		}
		if err := l.added[entry.id].err; fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("entry %d: %v, want %v", entry.id, err, want)
		}
	}
}

// checkDelays: while a flusher is always free, no entry waits longer than MaxDelay, and an
// eager Batcher lets none wait.
func checkDelays(t *rapid.T, p scenario, l *trace) {
	if p.busy > 0 {
		return
	}
	longest := p.policy.MaxDelay
	if p.eager {
		longest = 0
	}
	for _, f := range l.flushed {
		for _, entry := range f.entries {
			if waited := f.at - l.added[entry.id].at; waited > longest {
				t.Errorf("entry %d waited %v under %+v, eager %v", entry.id, waited, p.policy, p.eager)
			}
		}
	}
}

// An Add that races with Close is either flushed or refused.
func TestAddsThatRaceWithClose(t *testing.T) {
	for round := range 50 {
		var flushed atomic.Int64
		b := New(tasks.BatchPolicy{MaxItems: 7, MaxDelay: time.Millisecond}, func(_ context.Context, items []int) error {
			flushed.Add(int64(len(items)))
			return nil
		}, Options[int]{Flushers: 1 + round%3, Eager: round%2 == 0})

		var taken atomic.Int64
		var adders sync.WaitGroup
		warm := make(chan struct{}, 8)
		for range 8 {
			adders.Go(func() {
				for i := 0; ; i++ {
					f, err := b.Add(t.Context(), i)
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					taken.Add(1)
					if i == 20 {
						warm <- struct{}{}
					}
					if i%16 == 0 {
						if err := f.Wait(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		<-warm
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		atClose := flushed.Load()
		adders.Wait()
		if taken.Load() != flushed.Load() || atClose != flushed.Load() {
			t.Fatalf("taken %d, flushed %d, of them before Close returned %d", taken.Load(), flushed.Load(), atClose)
		}
	}
}
