package baler

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// askQueueTime is how long Explain waits for Redis.
const askQueueTime = time.Second

// Explain sets WaitingFor of transfers of which nothing runs. It also reads the state of
// a queue on a server; if the server does not answer, that is a reason and no error.
func (b *Baler) Explain(ctx context.Context, transfers []tasks.Transfer) error {
	all, err := b.waiting(ctx, transfers)
	if err != nil {
		return err
	}
	for i := range all {
		transfers[i].WaitingFor = all[i].Text
	}
	return nil
}

// waiting says what each transfer waits for. It returns nothing when all have ended.
func (b *Baler) waiting(ctx context.Context, transfers []tasks.Transfer) ([]ledger.Waiting, error) {
	if !slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return !t.State.Ended() }) {
		return nil, nil
	}
	around, err := b.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]ledger.Waiting, len(transfers))
	for i := range transfers {
		all[i] = around.Waiting(&transfers[i])
	}
	return all, nil
}

func (b *Baler) surroundings(ctx context.Context) (around ledger.Surroundings, err error) {
	if around, err = b.store.Surroundings(ctx); err != nil {
		return around, err
	}
	around.WriteError = outage.Failing(b.log, outage.Database)
	around.PausedQueues, around.QueueAway, err = b.askQueue(ctx)
	return around, err
}

// askQueue returns the paused queues, and whether Redis is unavailable. It does not read
// an embedded queue, which is in the memory of the process that works.
func (b *Baler) askQueue(ctx context.Context) (paused []string, away bool, err error) {
	u, err := config.ParseRedis(b.cfg.Redis.URL)
	if err != nil || u.Mode == config.Embedded {
		return nil, false, nil // the code that connects reports the error
	}
	conn := b.queue
	if conn == nil { // opened by OpenStore
		if conn, err = queue.Connect(b.cfg.Redis, nil); err != nil {
			return nil, false, err
		}
		defer func() { _ = conn.Close() }() // nothing was written
	}
	ask, cancel := context.WithTimeout(ctx, askQueueTime)
	defer cancel()
	if conn.Ping(ask) != nil {
		return nil, ctx.Err() == nil, ctx.Err()
	}
	queues, err := conn.Stats(ask)
	if err != nil {
		return nil, false, ctx.Err() // which queues are paused stays unknown
	}
	for i := range queues {
		if queues[i].Paused {
			paused = append(paused, queues[i].Name)
		}
	}
	return paused, false, nil
}

// explainedTransfers reads transfers with WaitingFor, for the HTTP API.
type explainedTransfers struct {
	*store.Store

	explain      func(context.Context, []tasks.Transfer) error
	surroundings func(context.Context) (ledger.Surroundings, error)
}

// Waiting counts the transfers that stand still, by the reason.
func (e explainedTransfers) Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error) {
	around, err := e.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	return e.CountWaiting(ctx, &around)
}

// Transfer is Store.Transfer with WaitingFor.
func (e explainedTransfers) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	t, err := e.Store.Transfer(ctx, uuid)
	if err != nil {
		return t, err
	}
	one := []tasks.Transfer{t}
	err = e.explain(ctx, one)
	return one[0], err
}

// Transfers is Store.Transfers with WaitingFor.
func (e explainedTransfers) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	ts, err := e.Store.Transfers(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	return ts, e.explain(ctx, ts)
}
