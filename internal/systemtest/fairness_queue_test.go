package systemtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Two large transfers by group share a worker in proportion to the weights of their queues: a
// transfer's own weight has no effect on them.
func TestQueueWeightsShareFilesByGroup(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Concurrency, c.Worker.Queues = 1, map[string]int{"light": 1, "heavy": 3}
		var order []int64 // of transfers, one entry a file; one file at a time
		start := make(chan struct{})
		b := open(t, c, register(t, "slow", func(ctx context.Context, j *handlers.Job) error {
			select {
			case <-start:
			case <-ctx.Done():
				return ctx.Err()
			}
			order = append(order, j.Transfer())
			return nil
		}))
		work(t, b)
		const files = 200
		recipe := yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")
		transfers := make(map[string]tasks.Transfer)
		for _, queue := range []string{"light", "heavy"} {
			transfers[queue] = submit(t, b, baler.Submission{
				Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaGroup, Queue: queue, Recipe: recipe,
			})
		}
		testkit.Eventually(t, hung, func() error {
			queues, err := b.Queues(t.Context())
			full := 0
			for _, q := range queues {
				if q.Pending+q.Active == files && transfers[q.Name].ID > 0 {
					full++
				}
			}
			if err == nil && full != len(transfers) {
				err = fmt.Errorf("not all batches are in the queues: %+v", queues)
			}
			return err
		})
		close(start)
		for _, tr := range transfers {
			audit(t, b, wait(t, b, tr.UUID))
		}
		done := make(map[int64]int)
		for _, id := range order[20:170] { // both have files that wait
			done[id]++
		}
		heavy, light := done[transfers["heavy"].ID], done[transfers["light"].ID]
		if ratio := float64(heavy) / float64(max(light, 1)); ratio < 1.5 || ratio > 8 { // asynq draws the queue by chance
			t.Errorf("the queue of weight 3 got %d files, that of weight 1 got %d", heavy, light)
		}
		t.Logf("the queue of weight 3 got %d files, that of weight 1 got %d", heavy, light)
	})
}
