package systemtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A small transfer that comes while a large one has filled the queue starts with the next
// slot that is free.
func TestNewcomerStartsWithTheNextFreeSlot(t *testing.T) {
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Concurrency = 1
		var mu sync.Mutex
		var order []int64 // of transfers, a batch each
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
		recipe := yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 5}}]")
		giant := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 200)}, Via: tasks.ViaBulk, Recipe: recipe})
		<-begun
		small := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 3)}, Via: tasks.ViaBulk, Recipe: recipe})
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
		close(release)
		audit(t, b, wait(t, b, giant.UUID))
		audit(t, b, wait(t, b, small.UUID))
		audit(t, b, wait(t, b, last.UUID))
		if at := slices.Index(order, small.ID); at != 1 {
			t.Errorf("the small transfer was batch %d of %d, want the second", at+1, len(order))
		}
	})
}
