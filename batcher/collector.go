package batcher

import (
	"context"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
)

// GroupQueue is where a Collector finds files that wait in groups.
type GroupQueue interface {
	// TakeDue takes files that are due. When none are, it returns how long until some are;
	// 0 when no files wait.
	TakeDue(ctx context.Context, queue string, maxDelay time.Duration, most int) (*queue.TakenFiles, time.Duration, error)
	// KeepTaken keeps taken files for another while; false when others have them.
	KeepTaken(ctx context.Context, taken *queue.TakenFiles) (bool, error)
	// ReturnTaken gives taken files up, for others to take.
	ReturnTaken(ctx context.Context, taken *queue.TakenFiles) error
	// RemoveTaken deletes messages whose files are in the ledger.
	RemoveTaken(ctx context.Context, taken *queue.TakenFiles) error
	// WakeUps receives a value when files were added that may be due before all others.
	WakeUps(ctx context.Context, queues []string) (wake <-chan struct{}, end func())
}

// CollectorOptions configures a Collector. All fields but Accept are needed.
type CollectorOptions struct {
	Aggregator *Aggregator
	Groups     GroupQueue
	Queues     []string
	MaxDelay   time.Duration // how long the first file of a group waits
	MaxSize    int           // files taken at a time

	// Accept reports whether a message of a queue may be used; those that may not are removed.
	// Nil accepts all.
	Accept func(ctx context.Context, queue string, t *asynq.Task) bool
}

// Collector makes batches of files that wait in groups, when the first of them has waited
// for MaxDelay. When a Collector dies, another takes its files
// within seconds. Any number of Collectors may run.
type Collector struct {
	CollectorOptions
}

const (
	// pollInterval is how often a Collector looks at its queues without a wake-up, because
	// one may be lost.
	pollInterval = time.Second

	// maxConcurrentSets is how many sets a Collector works on at the same time.
	maxConcurrentSets = 3

	// removeTimeout bounds the removal or return of messages, so that a stop does not wait
	// for a queue that is unavailable.
	removeTimeout = 5 * time.Second
)

// Run collects until ctx ends, and returns when what it has taken is in the ledger or given
// up.
func (c *Collector) Run(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	wake, end := c.Groups.WakeUps(ctx, c.Queues)
	defer end()
	free := make(chan struct{}, maxConcurrentSets)
	for ctx.Err() == nil {
		wait := pollInterval
		for _, name := range c.Queues {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			taken, left := c.take(ctx, name)
			if taken == nil {
				<-free
				if left > 0 {
					wait = min(wait, left)
				}
				continue
			}
			wait = 0            // there may be more
			working.Go(func() { //nolint:contextcheck // it outlives Run's context
				defer func() { <-free }()
				c.collect(taken)
			})
		}
		if wait > 0 {
			pause(ctx, wake, wait)
		}
	}
}

// take takes files that are due. Its error is reported by the queue; the next look finds
// what is due.
func (c *Collector) take(ctx context.Context, name string) (*queue.TakenFiles, time.Duration) {
	taken, left, err := c.Groups.TakeDue(ctx, name, c.MaxDelay, c.MaxSize)
	if err != nil && ctx.Err() == nil {
		c.Aggregator.Log.Log(ctx, outage.Level(err), "collector: cannot take groups, trying again", "queue", name, "error", err)
	}
	return taken, left
}

// collect makes batches of what was taken. It continues after the end of Run, because it
// takes little time.
func (c *Collector) collect(taken *queue.TakenFiles) {
	keeping, stop := context.WithCancel(context.WithoutCancel(c.Aggregator.ctx))
	var kept sync.WaitGroup
	kept.Go(func() { c.keep(keeping, taken) })
	_, done := c.Aggregator.attempt(taken.Handler, c.accepted(taken), 0, taken.Held)
	stop()
	kept.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Aggregator.ctx), removeTimeout)
	defer cancel()
	if !done {
		if err := c.Groups.ReturnTaken(ctx, taken); err != nil {
			c.Aggregator.Log.Log(ctx, outage.Level(err), "collector: files that have no batch yet are collected again later",
				"files", len(taken.Tasks), "error", err)
		}
		return
	}
	if err := c.Groups.RemoveTaken(ctx, taken); err != nil {
		// The files have batches. When the messages are delivered again, the batches made
		// of them do nothing.
		c.Aggregator.Log.Log(ctx, outage.Level(err), "collector: collected files will be delivered again",
			"files", len(taken.Tasks), "error", err)
	}
}

// accepted returns the messages that may be used.
func (c *Collector) accepted(taken *queue.TakenFiles) []*asynq.Task {
	if c.Accept == nil {
		return taken.Tasks
	}
	accepted := make([]*asynq.Task, 0, len(taken.Tasks))
	for _, t := range taken.Tasks {
		if c.Accept(c.Aggregator.ctx, taken.Queue, t) {
			accepted = append(accepted, t)
		}
	}
	return accepted
}

// keep keeps what was taken until ctx ends, for example while the database is unavailable.
func (c *Collector) keep(ctx context.Context, taken *queue.TakenFiles) {
	sleep.Every(ctx, queue.KeepTakenEvery, func() {
		if _, err := c.Groups.KeepTaken(ctx, taken); err != nil && ctx.Err() == nil {
			c.Aggregator.Log.Log(ctx, outage.Level(err), "collector: others may take files that this worker has collected",
				"files", len(taken.Tasks), "error", err)
		}
	})
}

// pause returns after a wake-up, after a time, or when ctx ends.
func pause(ctx context.Context, wake <-chan struct{}, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	case <-ctx.Done():
	}
}
