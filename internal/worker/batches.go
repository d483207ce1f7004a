package worker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/finalize"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/runner"
)

// batches is the part of a worker that takes batches and final steps. It can be started
// and paused any number of times; a second Start or Pause in a row has no effect. Only
// Release may be called from another goroutine.
type batches struct {
	Options

	runner     *runner.Runner
	finalizers *finalize.Executor
	aggregator *batcher.Aggregator
	release    context.CancelFunc // ends the aggregator's waiting

	configured map[string]int // weights of the queues as the configuration has them

	server    *asynq.Server       // nil while paused
	client    *queue.ServerClient // of the server
	paused    bool                // it has been paused before
	endTaking func()              // stops taking final steps and groups; nil while paused
	stopping  sync.WaitGroup      // servers, finalizers and collectors that still run
}

func newBatches(o Options, runner *runner.Runner) *batches {
	b := &batches{Options: o, configured: o.Queues, runner: runner, finalizers: o.finalizers()}
	aggregating, release := context.WithCancel(context.Background())
	b.aggregator, b.release = o.aggregator(aggregating), release
	return b
}

// Start takes batches and final steps.
func (b *batches) Start(ctx context.Context) error {
	if b.server != nil {
		return nil
	}
	client := b.serverClient(b.runner)
	server := b.Options.server(client, b.aggregator)
	if err := server.Start(client); err != nil {
		return fmt.Errorf("take batches: %w", err)
	}
	b.server, b.client = server, client
	taking, end := context.WithCancel(context.WithoutCancel(ctx)) // ends by Pause, in order
	b.endTaking = end
	b.stopping.Go(func() { b.finalizers.Run(taking) })
	b.stopping.Go(func() { b.Options.collector(b.aggregator).Run(taking) })
	if b.paused {
		b.Log.InfoContext(ctx, "worker takes batches again", "name", b.Name)
	}
	return nil
}

// Weigh sets the weights of queues in place of those in the configuration. A worker that takes
// batches begins anew with the weights that have changed; batches that run continue.
func (b *batches) Weigh(weights map[string]int) {
	queues := maps.Clone(b.configured)
	for name := range queues {
		queues[name] = cmp.Or(weights[name], queues[name])
	}
	if maps.Equal(queues, b.Queues) {
		return
	}
	b.Pause()
	b.Queues = queues
	b.Log.Info("worker: the weights of queues have changed", "name", b.Name, "queues", queues)
}

// Pause stops taking batches and final steps. Those that run continue.
func (b *batches) Pause() {
	server := b.server
	if server == nil {
		return
	}
	b.server, b.paused = nil, true
	b.endTaking()
	b.client.Stop()
	server.Stop()
	b.stopping.Go(func() {
		b.runner.WaitIdle()
		server.Shutdown()
	})
	b.Log.Info("worker takes no new batches", "name", b.Name)
}

// WaitIdle returns when everything that ran when Pause was called has ended, or when ctx
// ends.
func (b *batches) WaitIdle(ctx context.Context) {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		b.stopping.Wait()
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Release stops handlers and final steps now. Finished files are recorded; the others are
// released for other workers and do not count as an attempt. It also ends the
// aggregator's waiting for the database. Ending it earlier would cost time, because others
// would have to collect its files again.
func (b *batches) Release() {
	b.runner.Stop()
	b.finalizers.Stop()
	b.release()
}

// Close closes the folders that handlers may read. No handler may run any more.
func (b *batches) Close() error { return b.runner.Close() }
