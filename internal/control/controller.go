// Package control steers transfers, queues and workers as people and programs ask for it: it
// finds, pauses, cancels and retries transfers, says what they wait for, and sets the state of
// queues, workers and limits. The Go API and the HTTP API both call it. It starts no
// goroutines; dispatchers and workers apply what it writes to the database.
package control

import (
	"context"
	"log/slog"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Options are what a Controller works with.
type Options struct {
	Store     *store.Store
	Queue     *queue.Conn          // nil: only the database is open
	Redis     config.RedisSettings // where the queue is
	Transfers *dispatch.TransferCache
	Costs     *cost.Model
	Log       *slog.Logger
	Name      string   // of this process, for leases
	Handlers  []string // of this process
	Queues    []string // of the settings

	LimitNames []string // that the settings and the handlers of this process use
}

// Controller steers one system. Make one with New. It is safe for concurrent use.
type Controller struct {
	store     *store.Store
	queue     *queue.Conn
	redis     config.RedisSettings
	transfers *dispatch.TransferCache
	costs     *cost.Model
	log       *slog.Logger
	name      string

	handlers, queues, limitNames []string
}

// New makes a Controller.
func New(o Options) *Controller {
	return &Controller{
		store: o.Store, queue: o.Queue, redis: o.Redis, transfers: o.Transfers, costs: o.Costs, log: o.Log, name: o.Name,
		handlers: o.Handlers, queues: o.Queues, limitNames: o.LimitNames,
	}
}

// Cancel cancels a transfer; false: it had ended.
func (c *Controller) Cancel(ctx context.Context, t tasks.Transfer) (bool, error) {
	return c.store.Cancel(ctx, t.ID)
}

// Pause stops new batches of a transfer; false: it has ended, or is paused.
func (c *Controller) Pause(ctx context.Context, t tasks.Transfer) (bool, error) {
	return c.store.Pause(ctx, t.ID)
}

// Resume lets a paused transfer go on; false: it was not paused.
func (c *Controller) Resume(ctx context.Context, t tasks.Transfer) (bool, error) {
	return c.store.Resume(ctx, t.ID)
}

// Decide approves or rejects a step that waits for a person, and returns its name. When none
// waits, the error is store.ErrNoApproval.
func (c *Controller) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (step string, err error) {
	if err := d.Check(); err != nil {
		return "", err
	}
	return c.store.Decide(ctx, t.ID, d)
}

// Update changes a transfer; false: it has ended.
func (c *Controller) Update(ctx context.Context, t tasks.Transfer, change tasks.TransferChange) (bool, error) {
	if err := change.Check(); err != nil {
		return false, err
	}
	return c.store.Update(ctx, t.ID, change)
}

// recentFailures is how many failures a LiveWork has at most.
const recentFailures = 20

// LiveWork reads the batches of a transfer that run, and its newest failures.
func (c *Controller) LiveWork(ctx context.Context, t tasks.Transfer) (tasks.LiveWork, error) {
	return c.store.LiveWork(ctx, &t, recentFailures)
}
