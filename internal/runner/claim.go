package runner

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// claim takes a batch up: it makes sure that the batch is still to be done,
// and by this worker, before anything runs.
func (r *Runner) claim(ctx context.Context, m tasks.BatchMessage) error {
	failpoint.Point(failpoint.BatchDequeued)
	if r.stopping.Err() != nil {
		return errStopping
	}
	release, err := r.reserve(ctx, m)
	if err != nil {
		return err
	}
	defer release()
	leave, err := r.admit(ctx, m)
	if err != nil {
		return err
	}
	defer leave()
	// Only a lost lease counts as a retry in asynq: whatever ProcessTask
	// returns is declared to be no failure.
	lost, _ := asynq.GetRetryCount(ctx)
	b, err := r.Store.ClaimBatch(ctx, m.Batch, lost > 0)
	switch {
	case errors.Is(err, ledger.ErrLeaseLost):
		r.Metrics.BatchDropped()
		r.Log.DebugContext(ctx, "worker: the batch is closed already", "batch", m.Batch)
		return nil
	case errors.Is(err, ledger.ErrPaused):
		// The ledger has it: it is sent again when the transfer goes on.
		r.Log.DebugContext(ctx, "worker: the transfer is paused", "batch", m.Batch)
		return nil
	case err != nil:
		return err
	}
	if b.Transfer != m.Transfer || b.Step != m.Step {
		return fmt.Errorf("%w: batch %d is of transfer %d, step %d", tasks.ErrForeignMessage, b.ID, b.Transfer, b.Step)
	}
	e, err := r.Transfers.Get(ctx, b.Transfer)
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	if !e.HasStep(b.Step) {
		return fmt.Errorf("batch %d: transfer %s has no step %d", b.ID, e.UUID, b.Step)
	}
	reg, ok := r.Registry.Lookup(e.Step(b.Step).Handler)
	if !ok {
		r.Log.WarnContext(ctx, "worker: left to one that has the handler", "batch", b.ID, "handler", e.Step(b.Step).Handler)
		return fmt.Errorf("batch %d: %w: %s", b.ID, errNoHandler, e.Step(b.Step).Handler)
	}
	if b.Crashes > 0 && b.Items() > 1 && !b.Canceled {
		return r.split(ctx, &b.Batch, e)
	}
	run := newBatchRun(r, &b, e, reg)
	if err := run.load(ctx, b.Redelivered); err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	defer r.begin(run)()
	return run.execute(ctx)
}

// splitWhole is how many files are split into parts of one at once.
const splitWhole = 32

// split replaces a batch that a worker died with by parts of one file, or by
// about as many parts as each has files: a file that kills workers is alone
// after one more death at most in a batch of up to a thousand.
func (r *Runner) split(ctx context.Context, b *tasks.Batch, e *batcher.TransferPlan) error {
	files, err := r.Store.Files(ctx, b.Transfer, b.Files)
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	policy := e.Policy(b.Step)
	policy.MaxItems, policy.Target = 1, 0
	if b.Items() > splitWhole {
		policy.MaxItems = int(math.Sqrt(float64(b.Items())))
	}
	parts := batcher.PlanBatches(e, b.Step, files, policy)
	for i := range parts {
		parts[i].Attempt = b.Attempt
		parts[i].FencingToken = 1 // some of it may have run
	}
	err = r.Store.SplitBatch(ctx, b, parts)
	if errors.Is(err, ledger.ErrLeaseLost) {
		r.Metrics.BatchDropped()
		return nil
	}
	if err != nil {
		return fmt.Errorf("batch %d: %w", b.ID, err)
	}
	r.Metrics.BatchSplit()
	r.Log.WarnContext(ctx, "worker: a worker died with this batch; it is split", "batch", b.ID, "transfer", e.UUID,
		"files", b.Items(), "parts", len(parts))
	r.enqueue(ctx, parts)
	return nil
}

// reserve reserves what the batch of a message takes, when that is several
// slots. It gives ErrNoSlots when there is no room. What it cannot tell is found
// out when the batch is picked up.
func (r *Runner) reserve(ctx context.Context, m tasks.BatchMessage) (release func(), err error) {
	free := func() {}
	e, err := r.Transfers.Get(ctx, m.Transfer)
	if err != nil || !e.HasStep(m.Step) {
		return free, nil //nolint:nilerr // receive asks again, and says what is wrong
	}
	reg, ok := r.Registry.Lookup(e.Step(m.Step).Handler)
	weight := reg.Slots.Of(r.Slots)
	if !ok || reg.Slots == handlers.OneSlot {
		return free, nil
	}
	if !r.heavy.Reserve(weight) {
		return nil, admission.ErrNoSlots
	}
	return func() { r.heavy.Release(weight) }, nil
}
