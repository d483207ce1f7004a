package runner

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// gauge measures how many slots are taken at a time.
type gauge struct {
	mu        sync.Mutex
	now, most int
	mixed     bool // something ran beside the one that takes all
	exclusive bool
}

func (g *gauge) enter(slots int, all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mixed = g.mixed || g.exclusive || all && g.now > 0
	g.exclusive = all
	g.now += slots
	g.most = max(g.most, g.now)
}

func (g *gauge) leave(slots int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now -= slots
	g.exclusive = false
}

func (g *gauge) handler(slots, total int) handlers.HandlerFunc {
	return func(context.Context, []*handlers.Job) error {
		n := handlers.SlotUse(slots).Of(total)
		g.enter(n, n == total)
		defer g.leave(n)
		for range 100 {
			runtime.Gosched() // the others have a chance to be there too
		}
		return nil
	}
}

func TestSlotsBoundWhatRunsTogether(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const total = 4
		var g gauge
		r := newEnv(t, url, `name: t
steps:
  - {handler: one, when: 'size % 3 == 0', batch: {max_items: 1}, on_failure: continue}
  - {handler: two, when: 'size % 3 == 1', batch: {max_items: 1}}
  - {handler: all, when: 'size % 3 == 2', batch: {max_items: 1}}`)
		r.handle("one", g.handler(1, total))
		r.handle("two", g.handler(2, total), handlers.WithSlots(2))
		r.handle("all", g.handler(int(handlers.AllSlots), total), handlers.WithSlots(handlers.AllSlots))
		batches := r.Files(60)
		w := r.worker("w", func(o *Options) { o.Slots = total })
		var running sync.WaitGroup
		for i := range batches {
			running.Go(func() {
				err := r.deliver(w, &batches[i])
				for errors.Is(err, admission.ErrNoSlots) { // the queue brings it again
					runtime.Gosched()
					err = r.deliver(w, &batches[i])
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		r.audit()
		if g.most > total || g.mixed {
			t.Errorf("%d of %d slots were taken at a time; beside one that takes all: %v", g.most, total, g.mixed)
		}
	})
}

// A batch that needs more slots than the host has gets all of them.
func TestSlotsBeyondTheHost(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: huge}]")
		r.handle("huge", endAs(tasks.OutcomeSucceeded), handlers.WithSlots(1000))
		r.Files(1)
		r.finish(r.worker("w", func(o *Options) { o.Slots = 2 }))
		r.audit()
	})
}

// A worker that holds a batch which takes the whole host leaves the next one
// to other workers, instead of keeping it waiting here.
func TestWorkerReturnsHeavyBatchesItCannotRun(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: all, batch: {max_items: 1}}]")
		began, end := make(chan struct{}), make(chan struct{})
		r.handle("all", func(context.Context, []*handlers.Job) error {
			began <- struct{}{}
			<-end
			return nil
		}, handlers.WithSlots(handlers.AllSlots))
		batches := r.Files(2)
		busy, idle := r.worker("busy"), r.worker("idle")
		answers := make(chan error, 2)
		go func() { answers <- r.deliver(busy, &batches[0]) }()
		<-began
		if err := r.deliver(busy, &batches[1]); !errors.Is(err, admission.ErrNoSlots) {
			t.Errorf("the busy worker answered %v", err)
		}
		go func() { answers <- r.deliver(idle, &batches[1]) }()
		<-began
		close(end)
		for range batches {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		r.audit()
	})
}
