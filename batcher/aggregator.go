package batcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// maxAggregateTries bounds how often one set is tried while the database or Redis
// is away; after that asynq reclaims the set and brings it again.
const maxAggregateTries = 6

// AggregatorStore is what the aggregator needs of the store.
type AggregatorStore interface {
	// AddBatches writes batches; their IDs are filled in.
	AddBatches(ctx context.Context, batches []tasks.Batch) error
	// AddDeadLetter keeps a message that could not be read.
	AddDeadLetter(ctx context.Context, kind string, payload []byte, reason string) error
}

// Aggregator is asynq's GroupAggregator: it splits what asynq collected into
// batches by transfer, step, items and bytes, writes them to the ledger, sends
// all but the last, and returns that one for asynq to send. It is total: it
// survives garbage, and nothing that it is handed makes it panic.
type Aggregator struct {
	ctx       context.Context //nolint:containedctx // asynq's Aggregate takes none; this one ends its waiting
	store     AggregatorStore
	queue     Queue
	transfers *TransferCache
	log       *slog.Logger
	pause     time.Duration // before the second try; doubled each time
}

var _ asynq.GroupAggregator = (*Aggregator)(nil)

// NewAggregator makes an aggregator that gives up waiting for the database
// when ctx ends. A nil log discards.
func NewAggregator(ctx context.Context, l AggregatorStore, q Queue, c *TransferCache, log *slog.Logger) *Aggregator {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Aggregator{ctx: ctx, store: l, queue: q, transfers: c, log: log, pause: time.Second}
}

// Aggregate implements asynq.GroupAggregator. Nil leaves the set with asynq,
// which brings it again after about two minutes.
func (a *Aggregator) Aggregate(group string, ts []*asynq.Task) (last *asynq.Task) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("aggregator: panic; the set will come again", "group", group, "panic", p, "stack", string(debug.Stack()))
			last = nil
		}
	}()
	failpoint.Point(failpoint.SetTaken)
	for try := 1; ; try++ {
		last, err := a.aggregate(ts)
		if err == nil {
			return last
		}
		a.log.Warn("aggregator: trying again", "group", group, "files", len(ts), "try", try, "error", err)
		if try == maxAggregateTries || sleep.For(a.ctx, a.pause<<(try-1)) != nil {
			return nil
		}
	}
}

func (a *Aggregator) aggregate(ts []*asynq.Task) (*asynq.Task, error) {
	batches, err := a.split(ts)
	if err != nil {
		return nil, err
	}
	if len(batches) == 0 {
		return asynq.NewTask(tasks.TypeNoop, nil, asynq.MaxRetry(0)), nil
	}
	if err := a.store.AddBatches(a.ctx, batches); err != nil {
		return nil, fmt.Errorf("write batches: %w", err)
	}
	n := len(batches) - 1
	if err := enqueue(a.ctx, a.queue, batches[:n]); err != nil {
		// They are in the ledger: the dispatcher will send them.
		a.log.Warn("aggregator: left to the dispatcher", "batches", n, "error", err)
	}
	failpoint.Point(failpoint.SetReturned)
	return queue.BatchTask(&batches[n]), nil
}

// split reads the messages and cuts them into batches. What is not ours, or is
// of no transfer, is set aside, once all the rest is understood: until then the
// set may come again.
func (a *Aggregator) split(ts []*asynq.Task) ([]tasks.Batch, error) {
	collected := make(map[stepOf][]tasks.File)
	aside := make(map[*asynq.Task]string)
	for _, t := range ts {
		if t == nil {
			continue
		}
		m, reason, err := a.read(t)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			aside[t] = reason
			continue
		}
		k := stepOf{m.Transfer, m.Step}
		collected[k] = append(collected[k], tasks.File{No: m.File, Size: m.Bytes})
	}
	var batches []tasks.Batch
	for _, k := range sortedStepsOf(collected) {
		e, err := a.transfers.Get(a.ctx, k.transfer)
		if err != nil {
			return nil, err
		}
		batches = append(batches, PlanBatches(e, k.step, distinct(collected[k]), e.Policy(k.step))...)
	}
	for t, reason := range aside {
		if err := a.store.AddDeadLetter(a.ctx, t.Type(), t.Payload(), reason); err != nil {
			return nil, fmt.Errorf("set message aside: %w", err)
		}
	}
	return batches, nil
}

// read decodes one message; a reason says why it cannot be used.
func (a *Aggregator) read(t *asynq.Task) (m tasks.FileMessage, reason string, err error) {
	if t.Type() != tasks.TypeFile {
		return m, fmt.Sprintf("type %.80q is not %q", t.Type(), tasks.TypeFile), nil
	}
	m, err = tasks.DecodeFile(t.Payload())
	if err != nil {
		return m, err.Error(), nil //nolint:nilerr // the message is bad, not the reading of it
	}
	e, err := a.transfers.Get(a.ctx, m.Transfer)
	if errors.Is(err, tasks.ErrTransferNotFound) || errors.Is(err, ErrBadRecipe) {
		// A set holds files of many transfers, which must not wait for this one:
		// what is set aside here is found by the sweep once it can be read.
		return m, err.Error(), nil
	}
	if err != nil {
		return m, "", err
	}
	if !e.HasStep(m.Step) {
		return m, fmt.Sprintf("transfer %s has no step %d", e.UUID, m.Step), nil
	}
	return m, "", nil
}

type stepOf struct {
	transfer int64
	step     int
}

func sortedStepsOf(m map[stepOf][]tasks.File) []stepOf {
	keys := make([]stepOf, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b stepOf) int {
		return cmp.Or(cmp.Compare(a.transfer, b.transfer), cmp.Compare(a.step, b.step))
	})
	return keys
}

// distinct sorts files by number and drops repeats: asynq may deliver twice.
func distinct(files []tasks.File) []tasks.File {
	slices.SortFunc(files, func(a, b tasks.File) int { return cmp.Compare(a.No, b.No) })
	return slices.CompactFunc(files, func(a, b tasks.File) bool { return a.No == b.No })
}
