package systemtest

import (
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A worker that begins anew with other weights of its queues loses no batch.
func TestWeightsOfQueuesChangeWhileBatchesRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Queues = map[string]int{"high": 6, "low": 1}
		b := open(t, c, nil)
		work(t, b)
		var all []tasks.Transfer
		for _, queue := range []string{"high", "low"} {
			all = append(all, submit(t, b, baler.Submission{
				Paths: []string{testkit.NumberedTree(t, 200)}, Via: tasks.ViaBulk, Queue: queue,
				Recipe: yaml(t, "name: many\nsteps: [{handler: noop, batch: {max_items: 1}}]"),
			}))
		}
		for _, weight := range []int{9, 2, 0} {
			_, err := b.SetLimit(t.Context(), tasks.ScopeQueue, "low", tasks.LimitChange{Weight: &weight})
			testkit.Must(t, err)
		}
		weight := 9
		_, err := b.SetLimit(t.Context(), tasks.ScopeQueue, "low", tasks.LimitChange{Weight: &weight})
		testkit.Must(t, err)
		for _, tr := range all {
			audit(t, b, wait(t, b, tr.UUID))
		}
		weight = 101
		if _, err := b.SetLimit(t.Context(), tasks.ScopeQueue, "low", tasks.LimitChange{Weight: &weight}); err == nil {
			t.Error("a queue has the weight 101")
		}
		if _, err := b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{Weight: &weight}); err == nil {
			t.Error("everything has a weight")
		}
	})
}
