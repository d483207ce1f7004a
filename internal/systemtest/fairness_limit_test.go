package systemtest

import (
	"context"
	"errors"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// While a limit keeps batches out, a new transfer gets the next room under the limit, although the
// worker has batches of the large one, and sends all of them back again and again.
func TestNewTransferGetsTheNextRoomUnderALimit(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*config.WorkerSettings){
		"one batch":      func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 2, 2 },
		"six batches":    func(w *config.WorkerSettings) { w.Concurrency, w.Slots = 6, 2 },
		"as by defaults": func(*config.WorkerSettings) {},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, c config.Config) {
				if c.Redis.URL == "embedded" {
					t.Skip("the test connects to the queue, which is inside the process here")
				}
				set(&c.Worker)
				newcomersUnderALimit(t, c)
			})
		})
	}
}

func newcomersUnderALimit(t *testing.T, c config.Config) {
	begun, release := make(chan int64, 1000), make(chan struct{})
	b := open(t, c, register(t, "slow", func(ctx context.Context, j *handlers.Job) error {
		begun <- j.Transfer()
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	one := 1
	_, err := b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{InFlight: &one})
	testkit.Must(t, err)
	work(t, b)
	recipe := yaml(t, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")
	all := []tasks.Transfer{submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 100)}, Via: tasks.ViaBulk, Recipe: recipe})}
	<-begun
	firstRan := false // the first batch of the large one, which may be new in the same way
	for range 3 {     // one after another
		small := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: recipe})
		all = append(all, small)
		sentBack(t, c, small.ID)
		release <- struct{}{}
		next := <-begun
		if next == all[0].ID && !firstRan {
			firstRan = true
			release <- struct{}{}
			next = <-begun
		}
		if next != small.ID {
			t.Errorf("the next was of transfer %d, want %d", next, small.ID)
		}
	}
	close(release)
	for _, tr := range all {
		audit(t, b, wait(t, b, tr.UUID))
	}
}

// sentBack waits until a worker has sent a batch of a transfer back to the queue.
func sentBack(t *testing.T, c config.Config, transfer int64) {
	t.Helper()
	opt, err := asynq.ParseRedisURI(c.Redis.URL)
	testkit.Must(t, err)
	inspector := asynq.NewInspector(opt)
	testkit.CloseAtEnd(t, inspector)
	testkit.Eventually(t, hung, func() error {
		for _, list := range []func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
			inspector.ListRetryTasks, inspector.ListPendingTasks, inspector.ListActiveTasks,
		} {
			found, err := list(tasks.DefaultQueue, asynq.PageSize(1000))
			if err != nil {
				return err
			}
			for _, task := range found {
				if m, err := tasks.DecodeBatch(task.Payload); err == nil && m.Transfer == transfer && task.LastErr != "" {
					return nil
				}
			}
		}
		return errors.New("no worker has sent the batch back")
	})
}
