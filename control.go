package baler

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/loglevel"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Cancel stops a transfer: no more batches of it start, the contexts of handlers
// that work on it end within seconds, and unfinished files end as canceled. It
// reports false when the transfer had ended already.
func (b *Baler) Cancel(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Cancel(ctx, t.ID)
}

// Pause stops new batches of a transfer; running batches finish. It reports false when
// the transfer has ended or is paused already.
func (b *Baler) Pause(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Pause(ctx, t.ID)
}

// Resume lets a paused transfer start batches again. It reports false when it was not paused.
func (b *Baler) Resume(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Resume(ctx, t.ID)
}

// ErrNoApproval is the error of Decide when no such step waits for approval.
var ErrNoApproval = store.ErrNoApproval

// Decide approves a step that waits for a person, which lets its files run, or rejects it,
// which cancels the transfer. It returns the name of the step. Who has decided, when and with
// which comment is in the audit log. Of several people who decide, the first does.
func (b *Baler) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (step string, err error) {
	if err := d.Check(); err != nil {
		return "", err
	}
	return b.store.Decide(ctx, t.ID, d)
}

// Update changes a transfer that has not ended. It reports false when it has.
func (b *Baler) Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error) {
	if err := c.Check(); err != nil {
		return false, err
	}
	return b.store.Update(ctx, t.ID, c)
}

// ErrWorkerNotFound says that no live worker has the name.
var ErrWorkerNotFound = errors.New("no such worker")

// Workers lists the live workers by name.
func (b *Baler) Workers(ctx context.Context) ([]tasks.Worker, error) {
	return b.store.Workers(ctx)
}

// SetWorkerState sets the desired state of a live worker: to take batches, to take
// none, or to finish its batches and end. The worker applies it within seconds.
func (b *Baler) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	known, err := b.store.SetDesiredState(ctx, name, desired)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
}

// SetWorkerLogLevel sets the log level of a live worker: debug, info, warn, error, or configured
// for that of its settings. The worker applies it within seconds, and forgets it when it ends.
func (b *Baler) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	if _, err := loglevel.Parse(level); err != nil {
		return err
	}
	if level == loglevel.Configured {
		level = ""
	}
	known, err := b.store.SetLogLevel(ctx, name, level)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
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
	paused, err := b.store.PausedQueues(ctx)
	if err != nil {
		return nil, err
	}
	queues, err := b.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range paused { // Redis may have lost them a moment ago
		i := slices.IndexFunc(queues, func(q QueueStats) bool { return q.Name == name })
		if i < 0 {
			i, queues = len(queues), append(queues, QueueStats{Name: name})
		}
		queues[i].Paused = true
	}
	return queues, nil
}

// PauseQueue stops workers from taking batches from a queue, or, when pause is
// false, lets them take batches again. The database keeps it, so that Redis may lose it:
// the dispatcher pauses the queue again within a second.
func (b *Baler) PauseQueue(ctx context.Context, name string, pause bool) error {
	if err := b.store.SetQueuePaused(ctx, name, pause); err != nil {
		return err
	}
	if !pause {
		return b.queue.Producer.ResumeQueue(ctx, name)
	}
	_, err := b.queue.Producer.PauseQueues(ctx, []string{name})
	return err
}

// Limits lists the limits that are set for all workers together.
func (b *Baler) Limits(ctx context.Context) ([]tasks.Limit, error) { return b.store.Limits(ctx) }

// SetLimit limits all workers together: globally, in one queue, or for one transfer.
// inFlight is the number of batches that run at once. nil keeps the present bound, 0
// removes it. Workers apply the limit within seconds; running batches continue.
func (b *Baler) SetLimit(ctx context.Context, scope tasks.Scope, name string, inFlight *int, filesPerSecond *float64) (tasks.Limit, error) {
	if scope == tasks.ScopeQueue {
		if err := tasks.CheckQueue(name); err != nil {
			return tasks.Limit{}, err
		}
	}
	return b.store.SetLimit(ctx, scope, name, inFlight, filesPerSecond)
}

// DeadLetter is a queue message that could not be read, kept with its bytes.
type DeadLetter = store.DeadLetter

// ErrDeadLetterNotFound is the error for a dead letter that does not exist.
var ErrDeadLetterNotFound = store.ErrDeadLetterNotFound

// DeadLetters lists up to limit dead letters with a number below before, newest first;
// before 0 starts at the newest.
func (b *Baler) DeadLetters(ctx context.Context, before int64, limit int) ([]DeadLetter, error) {
	return b.store.DeadLetters(ctx, before, limit)
}

// DeadLetter reads one dead letter.
func (b *Baler) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	return b.store.DeadLetter(ctx, id)
}

// RequeueDeadLetter puts the message of a dead letter into a queue again, for example
// after an update of the workers, and deletes the dead letter.
func (b *Baler) RequeueDeadLetter(ctx context.Context, id int64, queue string) error {
	d, err := b.store.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	if d.Truncated() {
		return fmt.Errorf("dead letter %d cannot be requeued: only the first %d bytes of it were kept", id, len(d.Payload))
	}
	if err := b.queue.Producer.EnqueueMessage(ctx, queue, d.Type, d.Payload); err != nil {
		return err
	}
	return b.store.DiscardDeadLetter(ctx, id)
}

// DiscardDeadLetter deletes a dead letter.
func (b *Baler) DiscardDeadLetter(ctx context.Context, id int64) error {
	return b.store.DiscardDeadLetter(ctx, id)
}
