package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// batchRun is one batch in one worker's hands.
type batchRun struct {
	*Runner
	batch        *tasks.Batch
	plan         *batcher.TransferPlan
	registration handlers.Registration
	retry        tasks.RetryPolicy

	known []fileOutcome            // files that an earlier delivery of this batch has recorded
	work  []tasks.File             // files to run, ascending
	facts map[int64]map[string]any // what earlier steps learnt, by file

	jobs    []*handlers.Job
	partial *partialFlush

	poisoned     bool // its file has cost as many workers as it may: it is set aside
	crashCounted bool // this run is counted as a worker lost, should it end here

	canceled context.Context //nolint:containedctx // ends when a person cancels the transfer
	cancel   context.CancelFunc
}

func newBatchRun(r *Runner, h *ledger.Claim, e *batcher.TransferPlan, reg handlers.Registration) *batchRun {
	u := &batchRun{Runner: r, batch: &h.Batch, plan: e, registration: reg, retry: r.Retry(e.Step(h.Step), reg)}
	u.canceled, u.cancel = context.WithCancel(context.Background())
	if h.Canceled {
		u.cancel()
	}
	u.poisoned = u.isPoisoned()
	u.partial = newPartialFlush(u)
	return u
}

// load reads all that the batch needs: its files in one query, what is
// recorded already when it may have run before, facts when something reads them.
func (u *batchRun) load(ctx context.Context, retaken bool) error {
	files, err := u.Store.Files(ctx, u.batch.Transfer, u.batch.Files)
	if err != nil {
		return err
	}
	if len(files) != u.batch.Items() {
		// Rows come before messages, so somebody else wrote a message of the
		// group's. The files that there are must not suffer for it.
		u.Log.WarnContext(ctx, "worker: the batch names files that were never registered", "batch", u.batch.ID,
			"named", u.batch.Items(), "registered", len(files))
	}
	if u.plan.Recipe.NeedsFacts(u.batch.Step) {
		if u.facts, err = u.Store.Facts(ctx, u.batch.Transfer, u.batch.Step, u.batch.Files); err != nil {
			return err
		}
	}
	if !retaken && u.batch.Attempt == 1 {
		u.work = files
		return nil
	}
	recorded, err := u.Store.Recorded(ctx, u.batch.Transfer, u.batch.Step, u.batch.Files)
	if err != nil {
		return err
	}
	u.dropRecorded(files, recorded)
	return nil
}

// dropRecorded sorts files that have a result out of the work. Those of this batch
// are still to be moved on when it closes; those of another are the other's.
func (u *batchRun) dropRecorded(files []tasks.File, recorded []ledger.ExistingResult) {
	for i := range files {
		f := &files[i]
		if len(recorded) == 0 || recorded[0].File != f.No { // both ascend
			u.work = append(u.work, *f)
			continue
		}
		if recorded[0].Batch == u.batch.ID {
			u.known = append(u.known, fileOutcome{
				file: f, outcome: recorded[0].Outcome, facts: merge(u.facts[f.No], recorded[0].Facts),
			})
		}
		recorded = recorded[1:]
	}
}

// execute runs the handler over what is left to do, and closes the batch.
func (u *batchRun) execute(ctx context.Context) error {
	defer u.cancel()
	weight := u.weight()
	if err := u.acquire(ctx, weight); err != nil {
		return u.handBack(ctx, err)
	}
	release := sync.OnceFunc(func() { u.slots.Release(weight) })
	defer release()
	if err := u.countCrash(ctx); err != nil {
		return u.end(ctx, err)
	}
	batchErr, left, err := u.handle(ctx)
	if !u.crashCounted { // a suspect stays alone until its result is recorded and clears it
		release()
	}
	if err != nil {
		return u.handBack(ctx, err)
	}
	if err := u.partial.stop(); err != nil {
		return u.end(ctx, err)
	}
	if left > 0 {
		if err := u.partial.flushAll(ctx); err != nil {
			return u.end(ctx, err)
		}
		return u.handBack(ctx, context.Cause(u.context(ctx)))
	}
	return u.end(ctx, u.complete(ctx, batchErr))
}

func (u *batchRun) acquire(ctx context.Context, weight int64) error {
	ctx, cancel := u.until(ctx)
	defer cancel()
	if err := u.slots.Acquire(ctx, weight); err != nil {
		return context.Cause(ctx)
	}
	if u.stopping.Err() != nil { // the slots became free because others stopped
		u.slots.Release(weight)
		return errStopping
	}
	return nil
}

// until is ctx, ended also when the worker stops.
func (u *batchRun) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(u.stopping, func() { cancel(errStopping) })
	return ctx, func() {
		release()
		cancel(nil)
	}
}

// recordTime is how long results may still take to be committed once the
// worker stops: what is finished should not have to run again.
const recordTime = 2 * time.Second

// recording is ctx, ended also some time after the worker stops.
func (u *batchRun) recording(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(u.stopping, func() {
		late := time.AfterFunc(recordTime, func() { cancel(errStopping) })
		context.AfterFunc(ctx, func() { late.Stop() })
	})
	return ctx, func() {
		release()
		cancel(nil)
	}
}

// context tells why the run had to end: the worker stops, or the queue took
// the batch away.
func (u *batchRun) context(ctx context.Context) context.Context {
	if u.stopping.Err() != nil {
		return u.stopping
	}
	return ctx
}

// handle lets the handler loose on the jobs. It gives the error of the handler
// itself, which concerns the jobs that it left open, and how many jobs have to
// be handed back because their turn never came.
func (u *batchRun) handle(ctx context.Context) (batchErr error, left int, err error) {
	roots, done, err := u.rootsFor(u.plan)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	open := u.buildJobs(roots)
	if len(open) == 0 {
		return nil, 0, nil
	}
	ctx, cancel := u.until(ctx)
	defer cancel()
	defer context.AfterFunc(u.canceled, cancel)() //nolint:contextcheck // cancel is that of ctx
	if limit := u.Timeout(u.plan.Step(u.batch.Step), u.registration); limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, limit)
		defer stop()
	}
	begun := u.Now()
	ended := u.Metrics.BeginBatch(u.registration.Name, len(open))
	batchErr = u.await(ctx, open)
	took := u.Now().Sub(begun)
	ended(took)
	remaining := handlers.Settle(ctx, open, batchErr)
	if u.canceled.Err() != nil {
		finishCanceled(remaining)
		return batchErr, 0, nil
	}
	for _, j := range remaining {
		j.Abandon()
	}
	if batchErr == nil && ctx.Err() == nil { // what ended early tells nothing of the costs
		u.plan.ObserveCost(u.batch.Step, len(open), bytesOf(open), took)
	}
	return batchErr, len(remaining), nil
}

func bytesOf(jobs []*handlers.Job) (sum int64) {
	for _, j := range jobs {
		sum += j.File().Size
	}
	return sum
}

// await runs the handler, and gives up on one that ignores the end of its context.
func (u *batchRun) await(ctx context.Context, jobs []*handlers.Job) error {
	left, err := invoke.Wait(ctx, invoke.Go(func() error { return u.registration.Handler.Handle(ctx, jobs) }), u.AbandonAfter)
	if left {
		u.Log.WarnContext(ctx, "worker: the handler goes on after its time; it is left alone", "handler", u.registration.Name, "batch", u.batch.ID)
	}
	return err
}

// end says how the message is answered.
func (u *batchRun) end(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrLeaseLost):
		u.Metrics.BatchDropped()
		u.Log.InfoContext(ctx, "worker: another worker has taken this batch over; nothing of it is recorded here", "batch", u.batch.ID)
		return nil
	default:
		return u.handBack(ctx, err)
	}
}

// handBackTime bounds telling the ledger that a batch is given up.
const handBackTime = 2 * time.Second

// handBack gives the batch up: whatever this worker might still record of it
// is refused from now on.
func (u *batchRun) handBack(ctx context.Context, why error) error {
	u.Metrics.BatchReleased()
	u.partial.drop()
	u.uncountCrash()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackTime)
	defer cancel()
	if err := u.Store.ReleaseBatch(ctx, u.batch); err != nil {
		why = errors.Join(why, err)
	}
	return fmt.Errorf("batch %d goes back: %w", u.batch.ID, why)
}
