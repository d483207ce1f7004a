package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// assignment is what the batch of a message runs with.
type assignment struct {
	plan         *dispatch.TransferPlan // nil when there is no such transfer
	registration handlers.Registration
	err          error // why the batch cannot run here; nil when it can
}

// How long find waits for the row of a batch. Messages are sent after the commit, but in a
// cluster whose servers are all written to, another server has the row a moment later.
const (
	firstLookAgain = 50 * time.Millisecond // doubled each time
	lastLookAgain  = 800 * time.Millisecond
)

// errNoBatch reports a message of a batch that the ledger does not have.
var errNoBatch = errors.New("the ledger has no batch")

// find looks the batch of a message up, and again for about a second and a half when the ledger
// has neither the batch nor its results.
func (r *Runner) find(ctx context.Context, m tasks.BatchMessage) (*ledger.Claim, error) {
	for wait := firstLookAgain; ; wait *= 2 {
		c, err := r.findNow(ctx, m)
		if !errors.Is(err, errNoBatch) || wait > lastLookAgain {
			return c, err
		}
		r.Log.DebugContext(ctx, "worker: the batch is not in the ledger; looking again", "batch", m.Batch, "after", wait)
		if err := sleep.For(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// findNow reads the batch of a message from the ledger. The content of the message is only
// compared: write access to Redis must not decide what runs. findNow returns nil without
// an error when nothing is left to do: the batch is complete, or paused.
func (r *Runner) findNow(ctx context.Context, m tasks.BatchMessage) (*ledger.Claim, error) {
	c, err := r.Store.FindBatch(ctx, m.Batch)
	switch {
	case errors.Is(err, ledger.ErrLeaseLost):
		return nil, r.dropComplete(ctx, m)
	case errors.Is(err, ledger.ErrPaused):
		// Its row stays: it is enqueued again when the transfer is resumed.
		r.Log.DebugContext(ctx, "worker: the transfer is paused", "batch", m.Batch)
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := compare(ctx, m, &c.Batch); err != nil {
		return nil, err
	}
	if len(r.Queues) > 0 && !slices.Contains(r.Queues, c.Queue) {
		return nil, fmt.Errorf("%w: batch %d belongs to queue %s, which this worker does not take batches of",
			tasks.ErrForeignMessage, c.ID, c.Queue)
	}
	return &c, nil
}

// dropComplete drops the message of a batch that has been completed. A message of a
// batch that never existed is a foreign message.
func (r *Runner) dropComplete(ctx context.Context, m tasks.BatchMessage) error {
	ran, err := r.Store.HasRun(ctx, m.Batch, m.Transfer, m.Step, m.SomeFiles())
	if err != nil {
		return err
	}
	if !ran {
		return fmt.Errorf("%w: %w %d, and no result of it", tasks.ErrForeignMessage, errNoBatch, m.Batch)
	}
	r.Metrics.BatchDropped()
	r.Log.DebugContext(ctx, "worker: the batch is complete already", "batch", m.Batch)
	plan, err := r.Transfers.Get(ctx, m.Transfer)
	if errors.Is(err, tasks.ErrTransferNotFound) { // deleted meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	r.sweepFolders(ctx, plan, m.Step, m.SomeFiles())
	return nil
}

// compare returns an error unless Baler would have sent this message, as this task of
// this queue, for the batch.
func compare(ctx context.Context, m tasks.BatchMessage, b *tasks.Batch) error {
	if want := tasks.NewBatchMessage(b); m != want {
		return fmt.Errorf("%w: it differs from batch %d of the ledger, which is %s", tasks.ErrForeignMessage, b.ID, want.Encode())
	}
	if name, ok := asynq.GetQueueName(ctx); ok && name != b.Queue {
		return fmt.Errorf("%w: batch %d belongs to queue %s, not %.64q", tasks.ErrForeignMessage, b.ID, b.Queue, name)
	}
	if id, ok := asynq.GetTaskID(ctx); ok && id != queue.BatchTaskID(b.ID) {
		return fmt.Errorf("%w: the task of batch %d has the ID %.64q", tasks.ErrForeignMessage, b.ID, id)
	}
	return nil
}

// resolve looks up the plan and the handler of a batch, once.
func (r *Runner) resolve(ctx context.Context, b *tasks.Batch) assignment {
	plan, err := r.Transfers.Get(ctx, b.Transfer)
	if err != nil {
		return assignment{err: err}
	}
	if !plan.HasStep(b.Step) {
		return assignment{plan: plan, err: fmt.Errorf("%w %d", errNoStep, b.Step)}
	}
	name := plan.Step(b.Step).Handler
	registration, ok := r.Registry.Lookup(name)
	if !ok {
		return assignment{plan: plan, err: errNoHandler}
	}
	return assignment{plan: plan, registration: registration}
}

// claim takes the batch of a message for this worker, when limits and slots allow
// it. It returns nil without an error when nothing is left to do: the batch is
// complete, paused, or was split. The caller calls done when the run has ended.
func (r *Runner) claim(ctx context.Context, m tasks.BatchMessage) (run *batchRun, done func(), err error) {
	failpoint.Point(failpoint.BatchDequeued)
	if r.stopping.Err() != nil {
		return nil, nil, errStopping
	}
	c, err := r.find(ctx, m)
	if c == nil {
		return nil, nil, err
	}
	a := r.resolve(ctx, &c.Batch)
	if errors.Is(a.err, errNoHandler) { // before it uses up a limit
		return nil, nil, fmt.Errorf("batch %d: %w", c.ID, r.returnBatch(ctx, &c.Batch, a.plan))
	}
	release, err := r.reserve(a)
	if err != nil {
		r.Meter.Refused(c.Transfer, tasks.TimeSlots, time.Now())
		return nil, nil, err
	}
	leave := func() {}
	if !c.Canceled { // nothing of it runs
		if leave, err = r.admit(ctx, &c.Batch, a); err != nil {
			release()
			return nil, nil, err
		}
	}
	done = func() {
		leave()
		release()
		if run != nil {
			run.lap.End()
		}
	}
	run, err = r.claimBatch(ctx, c, a)
	if run == nil {
		done()
		return nil, nil, err
	}
	return run, done, nil
}

func (r *Runner) claimBatch(ctx context.Context, c *ledger.Claim, a assignment) (*batchRun, error) {
	if errors.Is(a.err, errNoStep) {
		return nil, r.Store.Suspend(ctx, c.Transfer, fmt.Sprintf("row %d of batches is invalid: %v", c.ID, a.err))
	}
	if a.err != nil {
		return nil, fmt.Errorf("batch %d: %w", c.ID, a.err)
	}
	// asynq counts only a lost lease as a retry: the server's IsFailure says that
	// errors of ProcessTask are no failures.
	lost, _ := asynq.GetRetryCount(ctx)
	if r.isRunning(c.ID) {
		return nil, fmt.Errorf("batch %d: this worker runs it already: %w", c.ID, ledger.ErrClaimed)
	}
	if err := r.Store.ClaimBatch(ctx, c, r.Worker, lost > 0); err != nil {
		return nil, fmt.Errorf("batch %d: %w", c.ID, err)
	}
	if c.Crashes > 0 && c.Items() > 1 && !c.Canceled {
		return nil, r.split(ctx, &c.Batch, a.plan)
	}
	run := newBatchRun(r, c, a)
	run.lap = r.Meter.Begin(&c.Batch, &c.Gap)
	return run, nil
}

// reserve reserves the slots of a batch that takes several. It gives
// admission.ErrNoSlots when there are not enough.
func (r *Runner) reserve(a assignment) (release func(), err error) {
	if a.err != nil || a.registration.Slots == handlers.OneSlot {
		return func() {}, nil //nolint:nilerr // claimBatch reports what kept the batch from being resolved
	}
	n := a.registration.Slots.Of(r.Slots)
	if !r.reserved.Reserve(n) {
		return nil, admission.ErrNoSlots
	}
	return func() { r.reserved.Release(n) }, nil
}
