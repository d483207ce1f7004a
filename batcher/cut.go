package batcher

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// cutMost is how many files one cut reads.
const cutMost = 20_000

// cut turns the next files of a backlog, limit at most, into batches as p says.
func (d *Dispatcher) cut(ctx context.Context, b *Backlog, e *Entry, limit int, p planner) (bool, error) {
	p.transfer, p.queue, p.rest = b.Transfer, e.Queue, b.rest()
	planned, err := d.plan(ctx, b, e, limit, &p)
	if err != nil {
		return false, err
	}
	if planned.to == 0 {
		return false, gap(b)
	}
	c := Cut{
		Transfer: b.Transfer, From: b.Cursor, To: planned.to, Bytes: b.Bytes - p.rest.bytes,
		Batches: planned.batches, Finished: planned.finished,
	}
	completed, err := d.ledger.Cut(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.Completed != nil {
		d.opts.Completed(ctx, b.Transfer)
	}
	return true, enqueue(ctx, d.queue, c.Batches)
}

// plan looks at no more of the files than it must. Nothing is dealt with when
// there are none.
func (d *Dispatcher) plan(ctx context.Context, b *Backlog, e *Entry, limit int, p *planner) (cut, error) {
	all := e.Step(1).Unconditional()
	if all {
		if c, err := d.lump(ctx, b, limit, p); err != nil || c.to > 0 {
			return c, err
		}
	}
	files, err := d.ledger.FilesAfter(ctx, b.Transfer, b.Cursor, limit, all)
	if err != nil {
		return cut{}, err
	}
	p.route = func(f *tasks.File) int { return e.Route(0, f, nil) }
	return p.plan(files), nil
}

// rest is what is left of the backlog.
func (b *Backlog) rest() backlog { return backlog{files: b.Files - b.Cursor, bytes: max(b.Bytes, 0)} }

// rationing bounds the batches of each step. When no more files will come, every
// slot gets its part of the rest.
func rationing(e *Entry, b *Backlog, slots int) func(step int) ration {
	if !b.Sealed {
		slots = 0
	}
	whole := b.rest()
	return func(step int) ration {
		return newRation(e.Estimate(step), e.Policy(step).Target, whole, slots)
	}
}
