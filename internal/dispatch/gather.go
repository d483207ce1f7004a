package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

const (
	// gatheringsPerRound is how many gatherings one round handles.
	gatheringsPerRound = 1000

	// batchesPerGathering is how many batches are gathered at a time.
	batchesPerGathering = 1000
)

// gather sends files of later steps and later attempts in full batches. When only a few
// files of a batch continue, they become a small batch in the ledger; gather replaces
// many small batches by a few full ones. It reports whether another round should follow
// at once.
func (d *Dispatcher) gather(ctx context.Context) (busy bool, err error) {
	found, err := d.store.Gatherings(ctx, gatheringsPerRound)
	if err != nil {
		return false, err
	}
	for _, g := range found {
		if d.opts.Now().Before(d.backedOff.of(g.Transfer)) {
			continue
		}
		more, err := d.gatherOne(ctx, g)
		switch {
		case errors.Is(err, ledger.ErrCursorMoved):
			busy = true // another dispatcher was faster
		case err != nil && ctx.Err() == nil:
			d.backOff(ctx, g.Transfer, err)
		}
		busy = busy || more && err == nil
	}
	return busy, nil
}

// gatherOne sends the due batches of one gathering, and reports whether some of them
// did not fit into one transaction.
func (d *Dispatcher) gatherOne(ctx context.Context, g ledger.Gathering) (more bool, err error) {
	plan, err := d.transfers.Get(ctx, g.Transfer)
	if err != nil {
		return false, err
	}
	if !plan.HasStep(g.Step) {
		return false, fmt.Errorf("transfer %s has no step %d", plan.UUID, g.Step)
	}
	capacity, err := d.opts.Workers.capacity(ctx, plan, g.Step)
	if err != nil {
		return false, err
	}
	policy := capacity.policy(g.Step)
	whole := batcher.Remaining{Files: int64(g.Items), Bytes: g.Bytes}
	slots := 0
	if g.Complete {
		slots = capacity.slots // the slots share the remaining files
	}
	budget := batcher.NewBudget(plan.Estimate(g.Step), policy.Target, whole, slots)
	sent, room := decideGathering(g, policy, budget, capacity.ahead, d.opts.Now())
	if sent == gatherNothing {
		return false, nil
	}
	limit := partsFor(g, policy, room)
	parts, err := d.store.GatheringBatches(ctx, g, limit)
	if err != nil || len(parts) == 0 {
		return false, err
	}
	files, err := d.filesOf(ctx, g.Transfer, parts)
	if err != nil {
		return false, err
	}
	planned := (&batcher.Planner{
		Transfer: g.Transfer, Queue: plan.Queue, Remaining: whole,
		Route:  func(*tasks.File) int { return g.Step },
		Policy: func(int) tasks.BatchPolicy { return policy },
		Budget: func(int) batcher.Budget { return budget },
	}).Plan(files)
	c := ledger.Gathered{Replaced: numbers(parts), Batches: planned.Batches}
	for i := range c.Batches {
		c.Batches[i].Attempt = g.Attempt
		c.Batches[i].FencingToken = fencingToken(parts)
	}
	truncated := len(parts) == limit && limit < g.Batches
	if sent == gatherFull || truncated {
		keepLast(c.Batches, g, policy, budget)
	}
	keepBeyond(c.Batches, g, room)
	if err := d.store.CommitGathered(ctx, c); err != nil {
		return false, err
	}
	batches := withoutGathering(c.Batches)
	first, err := d.store.FirstOfTransfers(ctx, batches)
	if err != nil {
		return false, err
	}
	return truncated && len(batches) < room, queue.EnqueueInTurn(ctx, d.queue, batches, first)
}

// partsFor returns how many batches of a gathering are read: as many as give the number of
// batches for which there is room.
func partsFor(g ledger.Gathering, policy tasks.BatchPolicy, room int) int {
	if room >= batchesPerGathering {
		return batchesPerGathering
	}
	each := max(g.Items/max(g.Batches, 1), 1)
	full := max(policy.MaxItems, 1)/each + 1 // batches that fill one
	return min(room*full, batchesPerGathering)
}

// keepBeyond lets the batches wait for which there is no room.
func keepBeyond(batches []tasks.Batch, g ledger.Gathering, room int) {
	for i := range batches {
		if room--; room < 0 {
			batches[i].Gathering, batches[i].NotBefore = true, g.Since
		}
	}
}

// fencingToken is the highest of the replaced batches: some of their files may have run.
func fencingToken(replaced []tasks.Batch) (highest int) {
	for i := range replaced {
		highest = max(highest, replaced[i].FencingToken)
	}
	return highest
}

// keepLast lets the last batch wait for more files, unless it is full or the only one.
func keepLast(batches []tasks.Batch, g ledger.Gathering, policy tasks.BatchPolicy, budget batcher.Budget) {
	last := &batches[len(batches)-1]
	if len(batches) > 1 && !budget.Fills(policy, last.Items(), last.Bytes) {
		last.Gathering, last.NotBefore = true, g.Since
	}
}

// filesOf reads the numbers and sizes of the files of batches, ascending.
func (d *Dispatcher) filesOf(ctx context.Context, transfer int64, batches []tasks.Batch) ([]tasks.File, error) {
	var all []int64
	for i := range batches {
		for no := range batches[i].Files.All() {
			all = append(all, no)
		}
	}
	ranges := tasks.NewRanges(all)
	files, err := d.store.Sizes(ctx, transfer, ranges)
	if err == nil && len(files) != ranges.Len() {
		err = fmt.Errorf("%w: %d of %d that gathering batches name", errGap, ranges.Len()-len(files), ranges.Len())
	}
	return files, err
}

// withoutGathering returns the batches that are sent now.
func withoutGathering(batches []tasks.Batch) []tasks.Batch {
	sent := make([]tasks.Batch, 0, len(batches))
	for i := range batches {
		if !batches[i].Gathering {
			sent = append(sent, batches[i])
		}
	}
	return sent
}
