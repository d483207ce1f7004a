package control

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/walltime"
	"github.com/balerhq/baler/tasks"
)

// askQueueTime is how long Surroundings waits for Redis.
const askQueueTime = time.Second

// Explain sets WaitingFor of transfers of which nothing runs. It also reads the state of
// a queue on a server; if the server accepts no messages, that is a reason and no error.
func (c *Controller) Explain(ctx context.Context, transfers []tasks.Transfer) error {
	all, err := c.Waiting(ctx, transfers)
	if err != nil {
		return err
	}
	if len(all) != len(transfers) { // none, when all transfers have ended
		return nil
	}
	for i := range transfers {
		transfers[i].WaitingFor = all[i].Text
	}
	return nil
}

// ExplainTime sets WallTime of a transfer. It reads a row for each step and worker.
func (c *Controller) ExplainTime(ctx context.Context, t *tasks.Transfer) error {
	times, err := c.store.WorkTimes(ctx, t.ID)
	if err != nil {
		return err
	}
	t.WallTime = walltime.Of(t, times, c.store.Now())
	return nil
}

// Waiting says what each transfer waits for. It returns nothing when all have ended.
func (c *Controller) Waiting(ctx context.Context, transfers []tasks.Transfer) ([]ledger.Waiting, error) {
	if !slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return !t.State.Ended() }) {
		return nil, nil
	}
	around, err := c.Surroundings(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]ledger.Waiting, len(transfers))
	for i := range transfers {
		all[i] = around.Waiting(&transfers[i])
	}
	return all, nil
}

// Surroundings reads what transfers can wait for.
func (c *Controller) Surroundings(ctx context.Context) (around ledger.Surroundings, err error) {
	if around, err = c.store.Surroundings(ctx); err != nil {
		return around, err
	}
	around.WriteError = outage.Failing(c.log, outage.Database)
	around.PausedQueues, around.QueueFault, err = c.askQueue(ctx)
	return around, err
}

// askQueue returns the paused queues, and why Redis accepts no messages, if it takes none. It
// does not read an embedded queue, which is in the memory of the process that works.
func (c *Controller) askQueue(ctx context.Context) (paused []string, fault string, err error) {
	u, err := config.ParseRedis(c.redis.URL)
	if err != nil || u.Mode == config.Embedded {
		return nil, "", nil // the code that connects reports the error
	}
	conn := c.queue
	if conn == nil { // only the database is open
		if conn, err = queue.Connect(c.redis, nil); err != nil {
			return nil, "", err
		}
		defer func() { _ = conn.Close() }() // nothing was written
	}
	ask, cancel := context.WithTimeout(ctx, askQueueTime)
	defer cancel()
	if fault = conn.Fault(ask); fault != "" {
		return nil, fault, ctx.Err()
	}
	queues, err := conn.Stats(ask)
	if err != nil {
		return nil, "", ctx.Err() // which queues are paused stays unknown
	}
	for i := range queues {
		if queues[i].Paused {
			paused = append(paused, queues[i].Name)
		}
	}
	return paused, "", nil
}
