package baler

import (
	"context"

	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/loglevel"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Cancel stops a transfer: no more batches of it start, the contexts of handlers
// that work on it end within seconds, and unfinished files end as canceled. It
// reports false when the transfer had ended already.
func (b *Baler) Cancel(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.control.Cancel(ctx, t)
}

// ErrNothingSelected is the error of CancelFiles for a filter that selects all files: Cancel
// is for these.
var ErrNothingSelected = control.ErrNothingSelected

// CancelFiles cancels the selected files of a transfer that have not ended; the others go on.
// It returns how many were not canceled before. A file that waits ends as canceled at the
// step for which it waits, as soon as a worker has its batch. One that runs ends this step
// first, and keeps its result if that was its last step. A filter with an outcome, a code or a
// message selects files by their results, and by their last attempt while they wait for
// another; with a step alone, it selects the files that are at this step. Retry runs canceled
// files again. A call that failed half way may be repeated.
func (b *Baler) CancelFiles(ctx context.Context, t tasks.Transfer, f ResultFilter) (files int64, err error) {
	filter, err := f.of(t)
	if err != nil {
		return 0, err
	}
	return b.control.CancelFiles(ctx, t, filter)
}

// Pause stops new batches of a transfer; running batches finish. It reports false when
// the transfer has ended or is paused already.
func (b *Baler) Pause(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.control.Pause(ctx, t)
}

// Resume lets a paused transfer start batches again. It reports false when it was not paused.
func (b *Baler) Resume(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.control.Resume(ctx, t)
}

// ErrNoApproval is the error of Decide when no such step waits for approval.
var ErrNoApproval = store.ErrNoApproval

// Decide approves a step that waits for a person, which lets its files run, or rejects it,
// which cancels the transfer. It returns the name of the step. Who has decided, when and with
// which comment is in the audit log. Of several people who decide, the first does.
func (b *Baler) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (step string, err error) {
	return b.control.Decide(ctx, t, d)
}

// Update changes a transfer that has not ended. It reports false when it has.
func (b *Baler) Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error) {
	return b.control.Update(ctx, t, c)
}

// ErrWorkerNotFound says that no live worker has the name.
var ErrWorkerNotFound = control.ErrWorkerNotFound

// Workers lists the live workers by name.
func (b *Baler) Workers(ctx context.Context) ([]tasks.Worker, error) {
	return b.control.Workers(ctx)
}

// SetWorkerState sets the desired state of a live worker: to take batches, to take
// none, or to finish its batches and end. The worker applies it within seconds.
func (b *Baler) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	return b.control.SetWorkerState(ctx, name, desired)
}

// SetWorkerLogLevel sets the log level of a live worker: debug, info, warn, error, or configured
// for that of its settings. The worker applies it within seconds, and forgets it when it ends.
func (b *Baler) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	return b.control.SetWorkerLogLevel(ctx, name, level)
}

// setLevel applies the log level that a person has set for this worker. A signal may have set
// another one since; then what a person sets next counts.
func (b *Baler) setLevel(ctx context.Context, level string) {
	if before := b.askedLevel.Swap(&level); before != nil && *before == level || before == nil && level == "" {
		return
	}
	if level == "" {
		level = loglevel.Configured
	}
	l, err := loglevel.Parse(level)
	if err != nil {
		b.log.WarnContext(ctx, "worker: the log level in the database is none; the level stays", "level", level)
		return
	}
	b.level.Set(ctx, l)
}

// ToggleDebug changes the log level of this process between debug and that of the settings.
func (b *Baler) ToggleDebug(ctx context.Context) { b.level.Toggle(ctx) }

// QueueStats is what a queue holds.
type QueueStats = queue.Stats

// Queues lists the queues in Redis, and those that are paused.
func (b *Baler) Queues(ctx context.Context) ([]QueueStats, error) {
	return b.control.Queues(ctx)
}

// PauseQueue stops workers from taking batches from a queue, or, when pause is
// false, lets them take batches again. The database keeps it, so that Redis may lose it:
// the dispatcher pauses the queue again within a second.
func (b *Baler) PauseQueue(ctx context.Context, name string, pause bool) error {
	return b.control.PauseQueue(ctx, name, pause)
}

// Limits lists the limits that are set for all workers together.
func (b *Baler) Limits(ctx context.Context) ([]tasks.Limit, error) { return b.control.Limits(ctx) }

// SetLimit limits all workers together: globally, in one queue, for one transfer, for one
// handler, or for the steps that use a name. Workers apply the limit within seconds; running
// batches continue.
func (b *Baler) SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error) {
	return b.control.SetLimit(ctx, scope, name, change)
}

// UnsetLimits lists the names of limits that the steps of a recipe use and that are not set:
// they limit nothing. A limit of the configuration that no worker has set yet counts as set.
func (b *Baler) UnsetLimits(ctx context.Context, r *recipe.Recipe) (names []string, err error) {
	names = r.LimitNames()
	if len(names) == 0 {
		return nil, nil
	}
	set, err := b.store.Limits(ctx)
	if err != nil {
		return nil, err
	}
	return tasks.UnsetLimits(names, append(set, b.cfg.NamedLimits()...)), nil
}

// DeadLetter is a queue message that could not be read, kept with its bytes.
type DeadLetter = store.DeadLetter

// ErrDeadLetterNotFound is the error for a dead letter that does not exist.
var ErrDeadLetterNotFound = store.ErrDeadLetterNotFound

// DeadLetters lists up to limit dead letters with a number below before, newest first;
// before 0 starts at the newest.
func (b *Baler) DeadLetters(ctx context.Context, before int64, limit int) ([]DeadLetter, error) {
	return b.control.DeadLetters(ctx, before, limit)
}

// DeadLetter reads one dead letter.
func (b *Baler) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	return b.store.DeadLetter(ctx, id)
}

// RequeueDeadLetter puts the message of a dead letter into a queue again, for example
// after an update of the workers, and deletes the dead letter.
func (b *Baler) RequeueDeadLetter(ctx context.Context, id int64, queue string) error {
	return b.control.RequeueDeadLetter(ctx, id, queue)
}

// DiscardDeadLetter deletes a dead letter.
func (b *Baler) DiscardDeadLetter(ctx context.Context, id int64) error {
	return b.control.DiscardDeadLetter(ctx, id)
}
