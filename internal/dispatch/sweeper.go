package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/queue"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const (
	// sweepMost is how many files one step of the sweep looks at.
	sweepMost = 5000

	// sweepPatience is how many lags the sweep of a transfer waits while file
	// messages are still queued: they are slow, not lost.
	sweepPatience = 8
)

// sweep is the safety net under the group way. The cursor of a group transfer
// follows behind; of the files that it passes, those with neither a result nor
// a batch get one. It reports whether it moved the cursor.
func (d *Dispatcher) sweep(ctx context.Context, b *ledger.Backlog, e *TransferPlan) (bool, error) {
	age := d.opts.Now().Sub(b.MarkedAt)
	switch {
	case b.MarkedAt.IsZero() || b.Cursor >= b.SweepMark:
		return false, d.store.SetSweepMark(ctx, b.Transfer, b.Files)
	case age < d.opts.SweepDelay:
		return false, nil
	case age < sweepPatience*d.opts.SweepDelay:
		waiting, err := d.queue.GroupBacklog(ctx, e.Queue, handlersOf(e))
		if err != nil || waiting > 0 {
			return false, err
		}
	}
	_, err := d.sweepOnce(ctx, b, e)
	return err == nil, err
}

// sweepOnce deals with the next files up to the mark, moves the cursor of b on
// with that of the ledger, and gives the number of files that were missing.
func (d *Dispatcher) sweepOnce(ctx context.Context, b *ledger.Backlog, e *TransferPlan) (int64, error) {
	limit := min(int64(sweepMost), b.SweepMark-b.Cursor)
	files, err := d.store.FilesAfter(ctx, b.Transfer, b.Cursor, int(limit), false)
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, gap(b)
	}
	missing, err := d.missing(ctx, e, files)
	if err != nil {
		return 0, err
	}
	p := batcher.Planner{
		Transfer: b.Transfer, Queue: e.Queue, Policy: e.Policy,
		Budget: stepBudgets(e, b, 0),
		Route:  func(f *tasks.File) int { return e.Route(0, f, nil) },
	}
	c := ledger.Dispatch{
		Transfer: b.Transfer, From: b.Cursor, To: files[len(files)-1].No,
		Batches: p.Plan(missing).Batches, Uncounted: true,
	}
	for i := range files {
		c.Bytes += files[i].Size
	}
	if _, err := d.store.CommitDispatch(ctx, c); err != nil {
		return 0, err
	}
	b.Cursor = c.To
	if len(missing) > 0 {
		d.opts.Log.InfoContext(ctx, "dispatcher: the queue lost files, sending them again",
			"transfer", e.UUID, "files", len(missing))
	}
	return int64(len(missing)), queue.Enqueue(ctx, d.queue, c.Batches)
}

// errGap says that the database does not hold what it counts.
var errGap = errors.New("registered files are missing")

func gap(b *ledger.Backlog) error {
	return fmt.Errorf("%w: the transfer counts %d files, none is behind %d", errGap, b.Files, b.Cursor)
}

// missing are the files that should have a result or a batch and have none.
// The batches are read first: one that ends in between has left its results.
func (d *Dispatcher) missing(ctx context.Context, e *TransferPlan, files []tasks.File) ([]tasks.File, error) {
	open, err := d.store.OpenBatches(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	byStep := make(map[int][]int64)
	for i := range files {
		no := files[i].No
		step := e.Route(0, &files[i], nil)
		if step > 0 && !slices.ContainsFunc(open, func(b tasks.Batch) bool { return b.Files.Contains(no) }) {
			byStep[step] = append(byStep[step], no)
		}
	}
	absent := make(map[int64]bool)
	for step, numbers := range byStep {
		recorded, err := d.store.RecordedFiles(ctx, e.ID, step, tasks.NewRanges(numbers))
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			if !recorded.Contains(n) {
				absent[n] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(f tasks.File) bool { return !absent[f.No] }), nil
}

// repairGroups gives stranded groups their names back.
func (d *Dispatcher) repairGroups(ctx context.Context) error {
	for _, queue := range d.opts.Queues {
		healed, err := d.queue.RepairGroups(ctx, queue, d.opts.Handlers)
		if err != nil {
			return err
		}
		if healed > 0 {
			d.opts.Log.InfoContext(ctx, "dispatcher: stranded groups are back", "queue", queue, "groups", healed)
		}
	}
	return nil
}

func handlersOf(e *TransferPlan) []string {
	names := make([]string, len(e.Recipe.Steps))
	for i, s := range e.Recipe.Steps {
		names[i] = s.Handler
	}
	slices.Sort(names)
	return slices.Compact(names)
}
