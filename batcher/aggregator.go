package batcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// MaxAggregateAttempts is how often one set is attempted while the database or Redis is
// away. After that asynq reclaims the set and delivers it again.
const MaxAggregateAttempts = 6

// AggregatorStore is what the aggregator needs of the store.
type AggregatorStore interface {
	// AddBatches writes batches and sets their IDs.
	AddBatches(ctx context.Context, batches []tasks.Batch) error
	// FirstOfTransfers returns the IDs of those batches whose transfers have no older one
	// that is sent and not complete.
	FirstOfTransfers(ctx context.Context, batches []tasks.Batch) (map[int64]bool, error)
	// AddDeadLetter keeps a message that could not be read.
	AddDeadLetter(ctx context.Context, kind string, payload []byte, reason string) error
}

// TransferPlanner makes batches from file messages by the state of the ledger.
type TransferPlanner interface {
	// PlanFiles makes batches of those files that may start at a step now. refused says,
	// by number, why the messages of others cannot be used, such as a missing transfer,
	// file or step. An error means that this cannot be decided now.
	PlanFiles(ctx context.Context, transfer int64, step int, files []int64) (batches []tasks.Batch, refused map[int64]string, err error)
}

// AggregatorOptions has the dependencies of an Aggregator.
type AggregatorOptions struct {
	Store      AggregatorStore
	Queue      queue.Promoter
	Transfers  TransferPlanner
	Log        *slog.Logger  // nil: discards
	FirstRetry time.Duration // wait before the second attempt, doubled each time; 0 means 1 s
}

// Aggregator is asynq's GroupAggregator. It divides the file messages that asynq
// collected into batches by transfer, step, items and bytes, writes the batches to the
// ledger, enqueues all but the last, and returns that one for asynq to enqueue. It
// keeps messages that cannot be read as dead letters.
type Aggregator struct {
	AggregatorOptions

	ctx   context.Context //nolint:containedctx // asynq's Aggregate has no context; this one ends its waiting
	watch *outage.Watch
}

var _ asynq.GroupAggregator = (*Aggregator)(nil)

// NewAggregator makes an aggregator that stops waiting for the database when
// ctx ends.
func NewAggregator(ctx context.Context, o AggregatorOptions) *Aggregator {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FirstRetry <= 0 {
		o.FirstRetry = time.Second
	}
	return &Aggregator{AggregatorOptions: o, ctx: ctx, watch: outage.New(o.Log, outage.Database, "make batches of groups")}
}

// Aggregate implements asynq.GroupAggregator. Nil leaves the set with asynq, which
// delivers it again after about two minutes. Baler's workers let asynq only find groups, and take
// their files by a Collector, because what a dead worker has taken then comes back sooner.
func (a *Aggregator) Aggregate(group string, ts []*asynq.Task) *asynq.Task {
	batches, done := a.attempt(group, ts, 1, nil)
	switch {
	case !done:
		return nil
	case len(batches) == 0:
		return asynq.NewTask(tasks.TypeNoop, nil, asynq.MaxRetry(0))
	}
	return queue.BatchTask(context.Background(), &batches[len(batches)-1])
}

// errNotHeld is the error when others may have the set.
var errNotHeld = errors.New("this process was frozen for so long that another one may have taken the files")

// attempt writes batches of a set and enqueues all but some of the last. done is false
// when the set is left to be delivered again. It writes nothing once held reports false.
func (a *Aggregator) attempt(group string, ts []*asynq.Task, left int, held func() bool) (batches []tasks.Batch, done bool) {
	defer func() {
		if p := recover(); p != nil {
			a.Log.Error("aggregator: panic; the set will be delivered again", "group", group, "panic", p, "stack", string(debug.Stack()))
			batches, done = nil, false
		}
	}()
	failpoint.Point(failpoint.SetTaken)
	limit := a.FirstRetry << MaxAggregateAttempts // never reached
	for attempt := 1; ; attempt++ {
		batches, err := a.aggregate(ts, left, held)
		if errors.Is(err, errNotHeld) {
			a.Log.Warn("aggregator: a set is left to others", "group", group, "files", len(ts), "error", err)
			return nil, false
		}
		if a.watch.Done(a.ctx, err) == nil {
			return batches, true
		}
		if attempt == MaxAggregateAttempts || sleep.For(a.ctx, backoff.Delay(a.FirstRetry, limit, attempt)) != nil {
			return nil, false
		}
	}
}

func (a *Aggregator) aggregate(ts []*asynq.Task, left int, held func() bool) ([]tasks.Batch, error) {
	batches, err := a.split(ts)
	if err != nil || len(batches) == 0 {
		return nil, err
	}
	if held != nil && !held() {
		return nil, errNotHeld
	}
	if err := a.Store.AddBatches(a.ctx, batches); err != nil {
		return nil, fmt.Errorf("write batches: %w", err)
	}
	n := len(batches) - left
	first, err := a.Store.FirstOfTransfers(a.ctx, batches[:n])
	if err = errors.Join(err, queue.EnqueueInTurn(a.ctx, a.Queue, batches[:n], first)); err != nil {
		// They are in the ledger, so the dispatcher will enqueue them.
		a.Log.Log(a.ctx, outage.Level(err), "aggregator: batches are left to the dispatcher", "batches", n, "error", err)
	}
	failpoint.Point(failpoint.SetReturned)
	return batches, nil
}

// split reads the messages and divides their files into batches. Messages that cannot
// be used become dead letters, but only after the whole set has been read: until then
// an error may cause asynq to deliver the set again.
func (a *Aggregator) split(ts []*asynq.Task) ([]tasks.Batch, error) {
	collected := make(map[stepOf]map[int64]*asynq.Task) // by file; asynq may deliver a message twice
	deadLetters := make(map[*asynq.Task]string)
	for _, t := range ts {
		if t == nil {
			continue
		}
		m, err := read(t)
		if err != nil {
			deadLetters[t] = err.Error()
			continue
		}
		k := stepOf{m.Transfer, m.Step}
		if collected[k] == nil {
			collected[k] = make(map[int64]*asynq.Task)
		}
		collected[k][m.File] = t
	}
	var batches []tasks.Batch
	for _, k := range sortedStepsOf(collected) {
		planned, refused, err := a.Transfers.PlanFiles(a.ctx, k.transfer, k.step, slices.Sorted(maps.Keys(collected[k])))
		if err != nil {
			return nil, err
		}
		batches = append(batches, planned...)
		for file, reason := range refused {
			deadLetters[collected[k][file]] = reason
		}
	}
	for t, reason := range deadLetters {
		if err := a.Store.AddDeadLetter(a.ctx, t.Type(), t.Payload(), reason); err != nil {
			return nil, fmt.Errorf("add dead letter: %w", err)
		}
	}
	return batches, nil
}

// read decodes one message.
func read(t *asynq.Task) (tasks.FileMessage, error) {
	if t.Type() != tasks.TypeFile {
		return tasks.FileMessage{}, fmt.Errorf("%w: type %.80q is not %q", tasks.ErrForeignMessage, t.Type(), tasks.TypeFile)
	}
	return tasks.DecodeFile(t.Payload())
}

type stepOf struct {
	transfer int64
	step     int
}

func sortedStepsOf(m map[stepOf]map[int64]*asynq.Task) []stepOf {
	return slices.SortedFunc(maps.Keys(m), func(a, b stepOf) int {
		return cmp.Or(cmp.Compare(a.transfer, b.transfer), cmp.Compare(a.step, b.step))
	})
}
