package batcher

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// cutMost is how many files one cut reads.
const cutMost = 20_000

func (d *Dispatcher) cut(ctx context.Context, b *Backlog, e *Entry, limit, room, slots int) (bool, error) {
	// A first step for every file needs no more than sizes.
	sizes := e.Step(1).Unconditional()
	files, err := d.ledger.FilesAfter(ctx, b.Transfer, b.Cursor, limit, sizes)
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		return false, gap(b)
	}
	p := planner{
		transfer: b.Transfer, queue: e.Queue, policy: sharing(e, b, slots), room: room,
		route: func(f *tasks.File) int { return e.Route(0, f, nil) },
	}
	planned := p.plan(files)
	c := Cut{Transfer: b.Transfer, From: b.Cursor, To: planned.to, Batches: planned.batches, Finished: planned.finished}
	completed, err := d.ledger.Cut(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.Completed != nil {
		d.opts.Completed(ctx, b.Transfer)
	}
	return true, enqueue(ctx, d.queue, c.Batches)
}

// sharing is the transfer's policy, tightened at its end so that every worker
// gets a part of what is left.
func sharing(e *Entry, b *Backlog, slots int) func(step int) Policy {
	most := 0
	if b.Sealed {
		most = share(b.Files-b.Cursor, slots)
	}
	return func(step int) Policy {
		p := e.Policy(step)
		if most > 0 && (p.MaxItems == 0 || most < p.MaxItems) {
			p.MaxItems = most
		}
		return p
	}
}
