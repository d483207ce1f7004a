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

// parcel is an item of the property tests, with what shall become of it.
type parcel struct {
	id    int
	items int
	bytes int64
	pause time.Duration // before it is added
	fails bool
}

// lifePlan is one life of a Batcher.
type lifePlan struct {
	policy   tasks.BatchPolicy
	capacity int
	flushers int
	eager    bool
	busy     time.Duration // how long a flush takes
	adders   int
	parcels  []parcel
}

func drawPlan(t *rapid.T) lifePlan {
	ms := func(most int, name string) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Millisecond
	}
	p := lifePlan{
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
	for id := range rapid.IntRange(0, 60).Draw(t, "parcels") {
		p.parcels = append(p.parcels, parcel{
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
	parcels []parcel
	at      time.Duration
}

// life is what was seen of a plan.
type life struct {
	added    map[int]*added
	flushed  []flushed
	observed map[Reason]int // items by reason
	peak     int            // most items held at once by several parcels, seen from outside
	running  int            // most flushes at once
	problems []string
}

func failure(id int) error { return fmt.Errorf("parcel %d: %w", id, errBroken) }

var errBroken = errors.New("broken")

// live runs a plan; it returns when the Batcher is closed.
func live(p lifePlan) *life {
	l := &life{added: map[int]*added{}, observed: map[Reason]int{}}
	var mu sync.Mutex
	items, parcels, running := 0, 0, 0 // what is held, and flushes at once
	start := time.Now()

	b := New(p.policy, func(_ context.Context, batch []parcel) error {
		mu.Lock()
		l.flushed = append(l.flushed, flushed{batch, time.Since(start)})
		running++
		l.running = max(l.running, running)
		mu.Unlock()
		time.Sleep(p.busy) // the plan's clock is not the real one
		mu.Lock()
		defer mu.Unlock()
		running--
		parcels -= len(batch)
		var each Errors
		for i, parcel := range batch {
			items -= parcel.items
			if parcel.fails {
				each.Set(i, failure(parcel.id))
			}
		}
		return each.Err()
	}, Options[parcel]{
		Weigh:    func(p parcel) (int, int64) { return p.items, p.bytes },
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
			for _, parcel := range p.parcels {
				if parcel.id%p.adders != a {
					continue
				}
				time.Sleep(parcel.pause)
				f, err := b.Add(context.Background(), parcel)
				mu.Lock()
				if err != nil {
					l.problems = append(l.problems, err.Error())
				}
				l.added[parcel.id] = &added{future: f, at: time.Since(start)}
				items += parcel.items
				if parcels++; parcels > 1 { // one alone may be above the capacity
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
			l.problems = append(l.problems, fmt.Sprintf("the future of parcel %d has no end", id))
		}
	}
	return l
}

func TestAnyLifeOfABatcher(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var l *life
		synctest.Test(t, func(*testing.T) { l = live(p) })

		for _, problem := range l.problems {
			rt.Error(problem)
		}
		checkNothingLost(rt, p, l)
		checkBounds(rt, p, l)
		checkOrder(rt, p, l)
		checkFutures(rt, p, l)
		checkDelays(rt, p, l)
	})
}

func checkNothingLost(t *rapid.T, p lifePlan, l *life) {
	var ids []int
	items, observed := 0, 0
	for _, f := range l.flushed {
		for _, parcel := range f.parcels {
			ids = append(ids, parcel.id)
			items += parcel.items
		}
	}
	slices.Sort(ids)
	for i := range p.parcels {
		if i >= len(ids) || ids[i] != i {
			t.Fatalf("of %d parcels these were flushed: %v", len(p.parcels), ids)
		}
	}
	if len(ids) != len(p.parcels) {
		t.Errorf("%d parcels were flushed %d times", len(p.parcels), len(ids))
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

func checkBounds(t *rapid.T, p lifePlan, l *life) {
	for _, f := range l.flushed {
		items, bytes := 0, int64(0)
		for _, parcel := range f.parcels {
			items += parcel.items
			bytes += parcel.bytes
		}
		if len(f.parcels) == 0 || len(f.parcels) > 1 && (items > p.policy.MaxItems || bytes > p.policy.MaxBytes) {
			t.Errorf("a batch of %d parcels, %d items, %d bytes under %+v", len(f.parcels), items, bytes, p.policy)
		}
	}
	if l.running > p.flushers {
		t.Errorf("%d flushes at once with %d flushers", l.running, p.flushers)
	}
	if p.capacity > 0 && l.peak > p.capacity {
		t.Errorf("%d items held with a capacity of %d", l.peak, p.capacity)
	}
}

// checkOrder: one flusher flushes what each adder added in the order in which
// it did so; however many there are, a batch is in order.
func checkOrder(t *rapid.T, p lifePlan, l *life) {
	last := make([]int, p.adders)
	for _, f := range l.flushed {
		if p.flushers > 1 {
			clear(last)
		}
		for _, parcel := range f.parcels {
			adder := parcel.id % p.adders
			if parcel.id < last[adder] {
				t.Errorf("parcel %d was flushed after %d", parcel.id, last[adder])
			}
			last[adder] = parcel.id
		}
	}
}

func checkFutures(t *rapid.T, p lifePlan, l *life) {
	for _, parcel := range p.parcels {
		var want error
		if parcel.fails {
			want = failure(parcel.id)
		}
		if err := l.added[parcel.id].err; fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("parcel %d: %v, want %v", parcel.id, err, want)
		}
	}
}

// checkDelays: while a flusher is always free, nothing waits longer than
// MaxDelay, and nothing at all when flushing eagerly.
func checkDelays(t *rapid.T, p lifePlan, l *life) {
	if p.busy > 0 {
		return
	}
	longest := p.policy.MaxDelay
	if p.eager {
		longest = 0
	}
	for _, f := range l.flushed {
		for _, parcel := range f.parcels {
			if waited := f.at - l.added[parcel.id].at; waited > longest {
				t.Errorf("parcel %d waited %v under %+v, eager %v", parcel.id, waited, p.policy, p.eager)
			}
		}
	}
}

// Adds that race with Close are flushed or refused, never neither nor both.
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
