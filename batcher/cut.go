package batcher

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// maxFilesPerDispatch is how many files one cut reads.
const maxFilesPerDispatch = 20_000

// dispatchNext turns the next files of a backlog, limit at most, into batches as p says.
func (d *Dispatcher) dispatchNext(ctx context.Context, b *ledger.Backlog, e *TransferPlan, limit int, p planner) (bool, error) {
	p.transfer, p.queue, p.remaining = b.Transfer, e.Queue, remainingOf(b)
	planned, err := d.planNext(ctx, b, e, limit, &p)
	if err != nil {
		return false, err
	}
	if planned.to == 0 {
		return false, gap(b)
	}
	c := ledger.Dispatch{
		Transfer: b.Transfer, From: b.Cursor, To: planned.to, Bytes: b.Bytes - p.remaining.bytes,
		Batches: planned.batches, Finished: planned.finished,
	}
	completed, err := d.store.CommitDispatch(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.OnCompleted != nil {
		d.opts.OnCompleted(ctx, b.Transfer)
	}
	return true, enqueue(ctx, d.queue, c.Batches)
}

// planNext looks at no more of the files than it must. Nothing is dealt with when
// there are none.
func (d *Dispatcher) planNext(ctx context.Context, b *ledger.Backlog, e *TransferPlan, limit int, p *planner) (plan, error) {
	all := !e.Step(1).HasCondition()
	if all {
		if c, err := d.planUniform(ctx, b, limit, p); err != nil || c.to > 0 {
			return c, err
		}
	}
	files, err := d.store.FilesAfter(ctx, b.Transfer, b.Cursor, limit, all)
	if err != nil {
		return plan{}, err
	}
	p.route = func(f *tasks.File) int { return e.Route(0, f, nil) }
	return p.plan(files), nil
}

// stepBudgets bounds the batches of each step. When no more files will come, every
// slot gets its part of the rest.
func stepBudgets(e *TransferPlan, b *ledger.Backlog, slots int) func(step int) budget {
	if !b.Sealed {
		slots = 0
	}
	whole := remainingOf(b)
	return func(step int) budget {
		return newBudget(e.Estimate(step), e.Policy(step).Target, whole, slots)
	}
}
