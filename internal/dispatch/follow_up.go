package dispatch

import (
	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/tasks"
)

// FollowUpBatches makes batches of files that come to a step from an earlier step or an
// earlier attempt. Batches that would gain nothing by waiting are sent at once: full
// batches, and short ones whose files are not worth sharing among workers. The others wait
// in the ledger, where a dispatcher gathers them with those that follow other batches.
func FollowUpBatches(plan *TransferPlan, step int, files []tasks.File) []tasks.Batch {
	policy, estimate := plan.Policy(step), plan.Estimate(step)
	budget := batcher.NewBudget(estimate, policy.Target, batcher.Remaining{}, 0)
	limited := len(plan.Step(step).Limits) > 0 // the dispatcher sends no more than the limits let run
	batches := PlanBatches(plan, step, files, policy)
	for i := range batches {
		b := &batches[i]
		short := estimate.Known && estimate.Predict(int64(b.Items()), b.Bytes) <= batcher.MinBatchTime.Seconds()
		b.Gathering = limited || !short || !budget.Fills(policy, b.Items(), b.Bytes)
	}
	return batches
}
