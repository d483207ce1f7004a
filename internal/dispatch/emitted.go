package dispatch

import (
	"context"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// emittedPage is how many emitted files are registered in one transaction.
const emittedPage = 2000

// registerEmitted registers files that handlers have emitted, once the transfer is sealed:
// until then its producer gives the numbers. The cursor of a transfer by bulk then comes to
// them as to others. That of a transfer by group only sweeps up what is lost, so their
// batches are written in the same transaction.
func (d *Dispatcher) registerEmitted(ctx context.Context, b *ledger.Backlog, plan *TransferPlan) error {
	page := ledger.EmittedPage{Transfer: b.Transfer, Limit: emittedPage, Collected: !plan.Recipe.Fixity}
	if b.Via == tasks.ViaGroup {
		page.Start = func(files []tasks.File) ledger.FollowUp { return startEmitted(plan, files) }
	}
	started, completed, err := d.store.RegisterEmitted(ctx, page)
	if err != nil {
		return err
	}
	failpoint.Point(failpoint.EmittedRegistered)
	if completed && d.opts.OnCompleted != nil {
		d.opts.OnCompleted(ctx, b.Transfer)
	}
	return queue.Enqueue(ctx, d.queue, withoutGathering(started))
}

// startEmitted makes batches of files at the steps at which they start.
func startEmitted(plan *TransferPlan, files []tasks.File) (f ledger.FollowUp) {
	byStep := make([][]tasks.File, len(plan.Recipe.Steps)+1)
	for i := range files {
		step := plan.First(&files[i])
		byStep[step] = append(byStep[step], files[i])
	}
	f.Finished = int64(len(byStep[0]))
	for step, some := range byStep {
		if step > 0 && len(some) > 0 {
			f.Batches = append(f.Batches, FollowUpBatches(plan, step, some)...)
		}
	}
	return f
}
