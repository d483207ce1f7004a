package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// assignment is what the batch of a message runs with.
type assignment struct {
	plan         *dispatch.TransferPlan // nil when there is no such transfer
	registration handlers.Registration
	err          error // why the batch cannot run here; nil when it can
}

// uuid is the id of the message's transfer that commands take; empty when there is none.
func (a assignment) uuid() string {
	if a.plan == nil {
		return ""
	}
	return a.plan.UUID
}

// resolve looks up the plan and the handler of a message's batch, once. Its error
// is reported only after the claim: a batch that is complete needs neither.
func (r *Runner) resolve(ctx context.Context, m tasks.BatchMessage) assignment {
	plan, err := r.Transfers.Get(ctx, m.Transfer)
	if err != nil {
		return assignment{err: err}
	}
	if !plan.HasStep(m.Step) {
		return assignment{plan: plan, err: fmt.Errorf("transfer %s has no step %d", plan.UUID, m.Step)}
	}
	name := plan.Step(m.Step).Handler
	registration, ok := r.Registry.Lookup(name)
	if !ok {
		return assignment{plan: plan, err: fmt.Errorf("%w: %s", errNoHandler, name)}
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
	a := r.resolve(ctx, m)
	release, err := r.reserve(a)
	if err != nil {
		return nil, nil, err
	}
	leave, err := r.admit(ctx, m, a.plan)
	if err != nil {
		release()
		return nil, nil, err
	}
	done = func() {
		leave()
		release()
	}
	run, err = r.claimBatch(ctx, m, a)
	if run == nil {
		done()
		return nil, nil, err
	}
	return run, done, nil
}

func (r *Runner) claimBatch(ctx context.Context, m tasks.BatchMessage, a assignment) (*batchRun, error) {
	// asynq counts only a lost lease as a retry: the server's IsFailure says that
	// errors of ProcessTask are no failures.
	lost, _ := asynq.GetRetryCount(ctx)
	c, err := r.Store.ClaimBatch(ctx, m.Batch, lost > 0)
	switch {
	case errors.Is(err, ledger.ErrLeaseLost):
		r.Metrics.BatchDropped()
		r.Log.DebugContext(ctx, "worker: the batch is complete already", "transfer", a.uuid(), "batch", m.Batch)
		return nil, nil
	case errors.Is(err, ledger.ErrPaused):
		// Its row stays: it is enqueued again when the transfer is resumed.
		r.Log.DebugContext(ctx, "worker: the transfer is paused", "transfer", a.uuid(), "batch", m.Batch)
		return nil, nil
	case err != nil:
		return nil, err
	}
	if c.Transfer != m.Transfer || c.Step != m.Step {
		return nil, fmt.Errorf("%w: batch %d is of transfer %d, step %d", tasks.ErrForeignMessage, c.ID, c.Transfer, c.Step)
	}
	if errors.Is(a.err, errNoHandler) {
		batchLog(r.Log, &c.Batch, a.plan).WarnContext(ctx, "worker: left to one that has the handler", "error", a.err)
	}
	if a.err != nil {
		return nil, fmt.Errorf("batch %d: %w", c.ID, a.err)
	}
	if c.Crashes > 0 && c.Items() > 1 && !c.Canceled {
		return nil, r.split(ctx, &c.Batch, a.plan)
	}
	return newBatchRun(r, &c, a), nil
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
