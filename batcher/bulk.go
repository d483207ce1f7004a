package batcher

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
)

// maxFilesPerDispatch is how many files one dispatch reads.
const maxFilesPerDispatch = 20_000

// dispatchNext makes batches of the next files of a backlog, limit at most.
func (d *Dispatcher) dispatchNext(ctx context.Context, b *ledger.Backlog, plan *TransferPlan, limit int, p *Planner) (bool, error) {
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
	completed, err := d.store.CommitDispatch(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.OnCompleted != nil {
		d.opts.OnCompleted(ctx, b.Transfer)
	}
	return true, queue.Enqueue(ctx, d.queue, c.Batches)
}

// planNext reads no more of the files than it must. The plan is empty when there
// are none.
func (d *Dispatcher) planNext(ctx context.Context, b *ledger.Backlog, plan *TransferPlan, limit int, p *Planner) (Plan, error) {
	all := plan.Step(1).Unconditional()
	if all {
		if planned, err := d.planUniform(ctx, b, limit, p); err != nil || planned.To > 0 {
			return planned, err
		}
	}
	files, err := d.store.FilesAfter(ctx, b.Transfer, b.Cursor, limit, all)
	if err != nil {
		return Plan{}, err
	}
	return p.Plan(files), nil
}

// planUniform plans the next files of a backlog by sums of sizes alone, as long as
// full batches stay below the other bounds. The plan is the one that looking at
// each file would give, and the database adds sizes up in a fraction of the time
// that it takes to send them. Every file must go to the first step. An empty plan
// says that the files must be looked at.
func (d *Dispatcher) planUniform(ctx context.Context, b *ledger.Backlog, limit int, p *Planner) (Plan, error) {
	spans := p.UniformRanges(b.Cursor, min(int64(limit), p.Remaining.Files))
	if len(spans) == 0 {
		return Plan{}, nil
	}
	bytes, err := d.store.SumSizes(ctx, b.Transfer, spans)
	if err != nil {
		return Plan{}, err
	}
	return p.UniformBatches(spans, bytes), nil
}
