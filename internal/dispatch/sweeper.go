package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

const (
	// filesPerSweep is how many files are swept at a time.
	filesPerSweep = 5000

	// sweepDelay is how long files have been registered before they are swept. By then their
	// producer has enqueued them, if it can.
	sweepDelay = 5 * time.Second

	// sweepInterval is the wait before a transfer is swept again whose next file is still
	// in the queue.
	sweepInterval = 2 * time.Second

	// sweepPatience is how many times SweepDelay the sweep of a transfer waits for a file
	// whose message is still in the queue, because such a message is not lost.
	sweepPatience = 8
)

// sweep makes sure that no file of a group transfer is lost. The cursor of such a
// transfer follows the registered files with a delay, and the files that it passes get
// a batch if they have neither a batch nor a result. sweep reports whether it moved the
// cursor.
func (d *Dispatcher) sweep(ctx context.Context, b *ledger.Backlog, plan *TransferPlan) (bool, error) {
	now := d.opts.Now()
	if b.MarkedAt.IsZero() || b.Cursor >= b.SweepMark {
		return false, d.store.SetSweepMark(ctx, b.Transfer, b.Files)
	}
	age := now.Sub(b.MarkedAt)
	if age < min(sweepDelay, d.opts.SweepDelay) || now.Before(d.sweepAt.of(b.Transfer)) {
		return false, nil
	}
	from := b.Cursor
	_, err := d.sweepOnce(ctx, b, plan, age >= sweepPatience*d.opts.SweepDelay)
	if err == nil && b.Cursor == from {
		d.sweepAt.Add(b.Transfer, now.Add(sweepInterval))
	}
	return b.Cursor > from, err
}

// sweepOnce sweeps the next files up to the mark, moves the cursor in the ledger and in
// b, and returns how many files were missing. It stops before a file whose message the
// queue still has, unless all is set.
func (d *Dispatcher) sweepOnce(ctx context.Context, b *ledger.Backlog, plan *TransferPlan, all bool) (int64, error) {
	limit := min(int64(filesPerSweep), b.SweepMark-b.Cursor)
	files, err := d.store.FilesAfter(ctx, b.Transfer, b.Cursor, int(limit), false)
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, gap(b)
	}
	if !all {
		if files, err = d.beforeQueued(ctx, plan, files); err != nil || len(files) == 0 {
			return 0, err
		}
	}
	missing, err := d.missing(ctx, plan, files)
	if err != nil {
		return 0, err
	}
	batches, err := d.planMissing(ctx, plan, missing)
	if err != nil {
		return 0, err
	}
	c := ledger.Dispatch{
		Transfer: b.Transfer, From: b.Cursor, To: files[len(files)-1].No, Batches: batches, Uncounted: true,
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
			"transfer", plan.UUID, "files", len(missing))
	}
	return int64(len(missing)), queue.Enqueue(ctx, d.queue, c.Batches)
}

// planMissing makes batches of files that the queue has lost; the live workers share them.
func (d *Dispatcher) planMissing(ctx context.Context, plan *TransferPlan, files []tasks.File) (batches []tasks.Batch, err error) {
	byStep := make(map[int][]tasks.File)
	for i := range files {
		step := plan.First(&files[i])
		byStep[step] = append(byStep[step], files[i])
	}
	for _, step := range slices.Sorted(maps.Keys(byStep)) {
		capacity, err := d.opts.Workers.capacity(ctx, plan, step)
		if err != nil {
			return nil, err
		}
		batches = append(batches, planShared(plan, step, byStep[step], capacity.policy(step), capacity.slots)...)
	}
	return batches, nil
}

// beforeQueued returns the files before the first one whose message the queue has. It
// asks the queue before the ledger is read: a message leaves the queue only after its
// batch is in the ledger.
func (d *Dispatcher) beforeQueued(ctx context.Context, plan *TransferPlan, files []tasks.File) ([]tasks.File, error) {
	at := make([]queue.FileTask, len(files))
	for i := range files {
		at[i] = queue.FileTask{File: &files[i], Step: plan.First(&files[i])}
		if at[i].Step > 0 {
			at[i].Handler = plan.Step(at[i].Step).Handler
		}
	}
	n, err := d.queue.FirstQueued(ctx, plan.Queue, plan.ID, at)
	return files[:n], err
}

// errGap means that the database counts files that it does not have.
var errGap = errors.New("registered files are missing")

func gap(b *ledger.Backlog) error {
	return fmt.Errorf("%w: the transfer counts %d files, but there is none after %d", errGap, b.Files, b.Cursor)
}

// missing returns the files that should have a batch or a result and have neither. It
// reads the batches first: one that ends in between has its results recorded.
func (d *Dispatcher) missing(ctx context.Context, plan *TransferPlan, files []tasks.File) ([]tasks.File, error) {
	open, err := d.store.OpenBatches(ctx, plan.ID)
	if err != nil {
		return nil, err
	}
	byStep := make(map[int][]int64)
	for i := range files {
		no := files[i].No
		step := plan.First(&files[i])
		if step > 0 && !slices.ContainsFunc(open, func(b tasks.Batch) bool { return b.Files.Contains(no) }) {
			byStep[step] = append(byStep[step], no)
		}
	}
	absent := make(map[int64]bool)
	for step, numbers := range byStep {
		recorded, err := d.store.RecordedFiles(ctx, plan.ID, step, tasks.NewRanges(numbers))
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

// repairGroups restores groups that are missing in the queue's list of groups.
func (d *Dispatcher) repairGroups(ctx context.Context) error {
	for _, queue := range d.opts.Queues {
		repaired, err := d.queue.RepairGroups(ctx, queue, d.opts.Handlers)
		if err != nil {
			return err
		}
		if repaired > 0 {
			d.opts.Log.InfoContext(ctx, "dispatcher: stranded groups restored", "queue", queue, "groups", repaired)
		}
	}
	return nil
}

// buryOversized makes dead letters of messages that were too large to be read.
func (d *Dispatcher) buryOversized(ctx context.Context) error {
	for _, name := range d.opts.Queues {
		beginnings, err := d.queue.TakeOversized(ctx, name)
		if err != nil {
			return err
		}
		if len(beginnings) > 0 && d.opts.Checker.RefuseTooLarge(ctx, name, len(beginnings)) {
			continue
		}
		for _, b := range beginnings {
			if err := d.store.AddDeadLetter(ctx, "asynq message", b, queue.OversizedReason()); err != nil {
				return err
			}
		}
		if len(beginnings) > 0 {
			d.opts.Log.WarnContext(ctx, "dispatcher: messages are too large and are not read; they become dead letters",
				"queue", name, "messages", len(beginnings))
		}
	}
	return nil
}
