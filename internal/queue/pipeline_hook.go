package queue

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// maxPipeline bounds one pipeline, and so the size of its answers.
const maxPipeline = 512

// PipelineHook is a go-redis hook that sends the scripts of concurrent callers in one
// pipeline: scripts that arrive while one round trip is under way form the next
// pipeline. asynq's client has no bulk enqueue; with this hook, concurrent calls are
// about as cheap.
type PipelineHook struct {
	client redis.UniversalClient

	mu      sync.Mutex
	waiting []*pendingCommand
	busy    bool
}

var _ redis.Hook = (*PipelineHook)(nil)

// AddPipelineHook puts the hook on a client.
func AddPipelineHook(client redis.UniversalClient) { client.AddHook(&PipelineHook{client: client}) }

type pendingCommand struct {
	cmd  redis.Cmder
	done chan struct{}
}

// DialHook changes nothing.
func (g *PipelineHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook changes nothing.
func (g *PipelineHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook gathers scripts, because asynq enqueues with scripts. All other commands
// pass through: a pipeline may be waiting for a new connection, which sends commands of
// its own first.
func (g *PipelineHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "evalsha" {
			return next(ctx, cmd)
		}
		one := &pendingCommand{cmd, make(chan struct{})}
		g.mu.Lock()
		g.waiting = append(g.waiting, one)
		if !g.busy {
			g.busy = true
			// The caller that finds no pipeline under way sends for all callers. The
			// end of its context must not stop the commands of others.
			go g.send(context.WithoutCancel(ctx))
		}
		g.mu.Unlock()
		select {
		case <-one.done:
			return cmd.Err()
		case <-ctx.Done():
			// The command may still run. Its Cmder must not be touched while it
			// does, so wait for the answer; the client's own timeouts bound that.
			<-one.done
			return errors.Join(ctx.Err(), cmd.Err())
		}
	}
}

// send runs pipelines until no commands wait.
func (g *PipelineHook) send(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), maxPipeline)
		if n == 0 {
			g.busy = false
			g.mu.Unlock()
			return
		}
		taken := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()

		pipe := g.client.Pipeline()
		for _, one := range taken {
			_ = pipe.Process(ctx, one.cmd) // only queues; the error is that of Exec
		}
		// Each command carries its own error; that of Exec is the first of them.
		_, _ = pipe.Exec(ctx)
		for _, one := range taken {
			close(one.done)
		}
	}
}
