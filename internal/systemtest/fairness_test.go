package systemtest

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// When a large transfer has filled the queue, a small one that is submitted gets the next
// free slot, also when the worker already has batches of the large one that wait for a
// slot.
func TestNewTransferGetsTheNextFreeSlot(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*config.WorkerSettings){
		"one batch":      func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 1, 1 },
		"none waits":     func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 2, 2 },
		"two wait":       func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 4, 2 },
		"four wait":      func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 5, 1 },
		"as by defaults": func(*config.WorkerSettings) {},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, c config.Config) {
				set(&c.Worker)
				newcomers(t, c)
			})
		})
	}
}

// oneSlotQueue lets one test at a time count those who wait for slots in this process.
var oneSlotQueue sync.Mutex

func newcomers(t *testing.T, c config.Config) {
	oneSlotQueue.Lock()
	t.Cleanup(oneSlotQueue.Unlock) // after the worker's end
	var mu sync.Mutex
	var order []int64 // of transfers, one entry a batch
	begun, release := make(chan struct{}, 1000), make(chan struct{})
	reg := builtin.Registry()
	testkit.Must(t, reg.Register("slow", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
		mu.Lock()
		order = append(order, jobs[0].Transfer())
		mu.Unlock()
		begun <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})))
	b := open(t, c, reg)
	work(t, b)
	recipe := yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")
	giant := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 40+4*c.Worker.Concurrency)}, Via: tasks.ViaBulk, Recipe: recipe})
	slots := min(c.Worker.Slots, c.Worker.Concurrency)
	for range slots {
		<-begun
	}
	inHand(t, b, c.Worker.Concurrency)
	small := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: recipe})
	// The dispatcher serves one transfer after another: when it has come to this one, the
	// batch of the small one is in its place.
	last := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: recipe})
	testkit.Eventually(t, hung, func() error {
		read, err := b.Transfer(t.Context(), last.UUID)
		if err == nil && read.Cursor != 1 {
			err = fmt.Errorf("the cursor is at %d", read.Cursor)
		}
		return err
	})
	next := []int64{small.ID}
	if c.Worker.Concurrency > c.Worker.Slots { // else a worker takes it when one ends
		if slots > 1 {
			next = append(next, last.ID)
		}
		inHand(t, b, c.Worker.Concurrency+len(next))
		waitForSlots(t, c.Worker.Concurrency+len(next)-slots)
	}
	for range next {
		release <- struct{}{}
		<-begun
	}
	mu.Lock()
	got := slices.Sorted(slices.Values(order[slots:][:len(next)])) // workers may claim them in any order
	mu.Unlock()
	if !slices.Equal(got, next) {
		t.Errorf("the next slots went to transfers %v, want %v", got, next)
	}
	close(release)
	for _, tr := range []tasks.Transfer{giant, small, last} {
		audit(t, b, wait(t, b, tr.UUID))
	}
}

// inHand waits until workers have taken that many batches from the queue.
func inHand(t *testing.T, b *baler.Baler, want int) {
	t.Helper()
	testkit.Eventually(t, hung, func() error {
		queues, err := b.Queues(t.Context())
		active := 0
		for _, q := range queues {
			active += q.Active
		}
		if err == nil && active != want {
			err = fmt.Errorf("workers have %d batches, want %d", active, want)
		}
		return err
	})
}

var slotWaiters = regexp.MustCompile(`\[select[^\]]*\]:\n\S*admission\.\(\*SlotQueue\)\.Acquire\(`)

// waitForSlots waits until that many batches wait for a slot: one that was taken from the
// queue is claimed and read first.
func waitForSlots(t *testing.T, want int) {
	t.Helper()
	testkit.Eventually(t, hung, func() error {
		stacks := make([]byte, 16<<20)
		if n := len(slotWaiters.FindAll(stacks[:runtime.Stack(stacks, true)], -1)); n != want {
			return fmt.Errorf("%d batches wait for a slot, want %d", n, want)
		}
		return nil
	})
}

// The later steps of a small transfer do not wait for the batches that a large one has in
// the queue, nor does a small transfer by group.
func TestLaterStepsAndGroupsComeNext(t *testing.T) {
	t.Parallel()
	for name, small := range map[string]struct {
		via    tasks.Via
		recipe string
	}{
		"second step": {tasks.ViaBulk, "name: t\nsteps: [{handler: slow, name: a}, {handler: slow, name: b}, {handler: slow, name: c}]"},
		"by group":    {tasks.ViaGroup, "name: t\nsteps: [{handler: slow}]"},
	} {
		for _, large := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
			t.Run(name+" beside "+string(large), func(t *testing.T) {
				onEach(t, func(t *testing.T, c config.Config) {
					c.Worker.Concurrency = 1
					var order []int64 // of transfers, one entry a batch; one batch at a time
					reg := builtin.Registry()
					begun := make(chan struct{})
					var once sync.Once
					testkit.Must(t, reg.Register("slow", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
						order = append(order, jobs[0].Transfer())
						once.Do(func() { close(begun) })
						return sleep.For(ctx, 20*time.Millisecond) // the time that a file takes
					})))
					b := open(t, c, reg)
					work(t, b)
					const files = 300
					giant := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: large,
						Recipe: yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")})
					<-begun
					few := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: small.via, Recipe: yaml(t, small.recipe)})
					wait(t, b, few.UUID)
					audit(t, b, wait(t, b, giant.UUID))
					var at []int
					for i, id := range order {
						if id == few.ID {
							at = append(at, i)
						}
					}
					t.Logf("the small transfer was at %v of %d", at, len(order))
					for i := 1; i < len(at); i++ {
						if at[i]-at[i-1] > 30 { // a dispatcher looks for the next step a few times a second
							t.Errorf("the small transfer was at %v of %d", at, len(order))
						}
					}
				})
			})
		}
	}
}

// While two large transfers both have waiting files, they share the workers in proportion
// to their weights.
func TestWeightsShareTheWorkers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Concurrency = 1
		var order []int64 // of transfers, one entry a file; one file at a time
		reg := builtin.Registry()
		begun, start := make(chan struct{}), make(chan struct{})
		var once sync.Once
		testkit.Must(t, reg.Register("slow", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
			once.Do(func() { close(begun) })
			select {
			case <-start:
			case <-ctx.Done():
				return ctx.Err()
			}
			order = append(order, jobs[0].Transfer())
			return sleep.For(ctx, 10*time.Millisecond) // the time that a file takes
		})))
		b := open(t, c, reg)
		work(t, b)
		const files = 400
		recipe := yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")
		light := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: recipe})
		<-begun
		heavy := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: recipe, Weight: 3})
		close(start)
		audit(t, b, wait(t, b, heavy.UUID))
		read, err := b.Transfer(t.Context(), heavy.UUID)
		if err != nil || read.Weight != 3 {
			t.Errorf("the weight is %d, %v", read.Weight, err)
		}
		audit(t, b, wait(t, b, light.UUID))
		done := make(map[int64]int)
		for _, id := range order[50:350] { // both have files that wait
			done[id]++
		}
		if ratio := float64(done[heavy.ID]) / float64(max(done[light.ID], 1)); ratio < 2 || ratio > 4.5 {
			t.Errorf("weight 3 got %d files, weight 1 got %d", done[heavy.ID], done[light.ID])
		}
		t.Logf("weight 3 got %d files, weight 1 got %d", done[heavy.ID], done[light.ID])
	})
}
