package baler

import (
	"context"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/worker"
)

// Work runs batches until ctx ends. Then it takes no new ones, gives those in
// hand the grace period of the configuration to finish, commits what is
// finished, hands back the rest without charging an attempt, and returns nil.
func (b *Baler) Work(ctx context.Context) error {
	final, err := b.workerFinal()
	if err != nil {
		return err
	}
	return b.work(ctx, final)
}

func (b *Baler) work(ctx context.Context, final worker.Final) error {
	o := b.workerOptions()
	o.Final = final
	w, err := worker.New(o)
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// workerOptions is what workers, servers and Reconcile share.
func (b *Baler) workerOptions() worker.Options {
	cfg := &b.cfg
	return worker.Options{
		Store: b.store, Redis: b.queue.Client, Producer: b.queue.Producer, Embedded: b.queue.Embedded(),
		Transfers: b.transfers, Costs: b.costs, Registry: b.registry, Metrics: b.workerMetrics, Registerer: b.metrics,
		Log: b.log, Now: b.now,

		Name: cfg.Worker.Name, Version: b.version, Concurrency: cfg.Worker.Concurrency, Slots: cfg.Worker.Slots,
		Queues: cfg.Worker.Queues, Roots: cfg.Roots, Grace: cfg.Worker.Grace, PollQueue: cfg.Worker.Interval, Heartbeat: b.heartbeat,

		Group: worker.Group{Grace: cfg.Group.Grace, MaxDelay: cfg.Group.MaxDelay, MaxSize: cfg.Group.MaxSize},
		Dispatch: worker.Dispatch{
			Window: cfg.Dispatch.Window, Interval: cfg.Dispatch.Interval, Lag: cfg.Dispatch.Lag, Resend: cfg.Dispatch.Resend,
		},
		Record: worker.Record{
			MaxItems: cfg.Record.MaxItems, MaxDelay: cfg.Record.MaxDelay, MaxOutput: int(cfg.Record.MaxOutput),
			Flushers: cfg.Record.Flushers, Adapt: cfg.Record.Adapt == nil || *cfg.Record.Adapt,
		},
		WebhookSecret: cfg.Webhook.Secret,
		Timeout:       b.timeout, Retry: b.retry, OnCompleted: b.completed,
	}
}

// completed is called once for each transfer that this process completed.
func (b *Baler) completed(ctx context.Context, transfer int64) {
	failpoint.Point(failpoint.Completed)
	b.log.InfoContext(ctx, "transfer completed", "transfer", transfer)
}
