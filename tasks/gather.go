package tasks

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// gatherMost bounds one pipeline, so that its answers stay a bounded read.
const gatherMost = 512

// Gather is a go-redis hook that sends what is asked at the same time by
// several goroutines in one pipeline: while one round trip is under way, the
// commands that come in the meantime wait and form the next. asynq's client has
// no bulk enqueue; with this hook concurrent calls of it cost about as little.
// It must not be put on a client that runs blocking commands. The zero value
// is ready to use, once.
type Gather struct {
	mu      sync.Mutex
	waiting []*gathered
	busy    bool
	next    redis.ProcessPipelineHook
}

var _ redis.Hook = (*Gather)(nil)

type gathered struct {
	cmd  redis.Cmder
	done chan struct{}
}

// DialHook changes nothing.
func (g *Gather) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook remembers how pipelines are sent.
func (g *Gather) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	g.next = next
	return next
}

// ProcessHook gathers single commands.
func (g *Gather) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		one := &gathered{cmd, make(chan struct{})}
		g.mu.Lock()
		g.waiting = append(g.waiting, one)
		if !g.busy {
			g.busy = true
			// Whoever finds nobody sending sends for all; a caller's context
			// must not cut off the others' commands.
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

// send runs pipelines until nothing waits.
func (g *Gather) send(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), gatherMost)
		if n == 0 {
			g.busy = false
			g.mu.Unlock()
			return
		}
		taken := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()

		cmds := make([]redis.Cmder, n)
		for i, one := range taken {
			cmds[i] = one.cmd
		}
		// Each command carries its own error; the pipeline's is the first of them.
		_ = g.next(ctx, cmds)
		for _, one := range taken {
			close(one.done)
		}
	}
}
