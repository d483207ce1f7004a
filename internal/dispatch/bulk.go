package dispatch

import (
	"context"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/tasks"
)

// maxFilesPerDispatch is how many files one dispatch reads.
const maxFilesPerDispatch = 20_000

// dispatchNext makes batches of the next files of a backlog, at most limit of them.
func (d *Dispatcher) dispatchNext(
	ctx context.Context, b *ledger.Backlog, plan *TransferPlan, limit int, p *batcher.Planner, promote bool,
) (acted bool, err error) {
	planned, err := d.planNext(ctx, b, plan, limit, p)
	if err != nil {
		return false, err
	}
	if planned.To == 0 {
		return false, gap(b)
	}
	c := ledger.Dispatch{
		Transfer: b.Transfer, From: b.Cursor, To: planned.To, Bytes: b.Bytes - p.Remaining.Bytes,
		Batches: planned.Batches, Finished: planned.Finished,
	}
	ctx, span := d.opts.Tracer.StartWith(tracing.Continue(ctx, plan.TraceParent), func() (string, tracing.Attributes) {
		return "dispatch", tracing.Attributes{"transfer": plan.UUID, "batches": len(c.Batches), "from": c.From, "to": c.To}
	})
	defer func() { span.EndWith(err) }()
	completed, err := d.store.CommitDispatch(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.OnCompleted != nil {
		d.opts.OnCompleted(ctx, b.Transfer)
	}
	err = d.enqueue(ctx, c.Batches, promote)
	return true, err
}

// enqueue sends the batches of a dispatch, and promotes the first.
func (d *Dispatcher) enqueue(ctx context.Context, batches []tasks.Batch, promote bool) error {
	first := make(map[int64]bool)
	if promote && len(batches) > 0 {
		first[batches[0].ID] = true
	}
	return queue.EnqueueInTurn(ctx, d.queue, batches, first)
}

// planNext plans the next files, if possible without reading each of them. The plan is
// empty when there are no more files.
func (d *Dispatcher) planNext(
	ctx context.Context, b *ledger.Backlog, plan *TransferPlan, limit int, p *batcher.Planner,
) (batcher.Plan, error) {
	all := !plan.Step(1).HasCondition() && !plan.Recipe.SkipsForEmitted()
	if all {
		planned, err := p.PlanUniform(b.Cursor, int64(limit), func(ranges []tasks.Range) ([]int64, error) {
			return d.store.SumSizes(ctx, b.Transfer, ranges)
		})
		if err != nil || planned.To > 0 {
			return planned, err
		}
	}
	files, err := d.store.FilesAfter(ctx, b.Transfer, b.Cursor, limit, all)
	if err != nil {
		return batcher.Plan{}, err
	}
	return p.Plan(files), nil
}
