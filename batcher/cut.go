package batcher

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// cutMost is how many files one cut reads.
const cutMost = 20_000

// cut turns the next files of a backlog, limit at most, into batches as p says.
func (d *Dispatcher) cut(ctx context.Context, b *Backlog, e *Entry, limit int, p planner) (bool, error) {
	// A first step for every file needs no more than sizes.
	sizes := e.Step(1).Unconditional()
	files, err := d.ledger.FilesAfter(ctx, b.Transfer, b.Cursor, limit, sizes)
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		return false, gap(b)
	}
	p.transfer, p.queue, p.rest = b.Transfer, e.Queue, b.rest()
	p.route = func(f *tasks.File) int { return e.Route(0, f, nil) }
	planned := p.plan(files)
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
