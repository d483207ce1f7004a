package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// MaxAhead bounds how many promoted batches a worker takes early: a queue has no more of
// them.
const MaxAhead = maxPromoted

// asynqDequeue is the SHA-1 of the script with which asynq v0.26.0 takes a message.
const asynqDequeue = "a8153319360adc71cdc370107f8ab9786f204765"

const (
	// maxWait bounds how long one attempt to take a message waits, because asynq computes
	// the end of the message's lease of 30 seconds before the attempt.
	maxWait = 5 * time.Second

	// arrivesWithin is how soon a message that was taken reaches the handler. Later it is
	// not expected any more: asynq gives a message whose deadline has passed to no handler.
	arrivesWithin = time.Second
)

// ServerClient is the Redis client of one asynq server. While the server handles its full number
// of messages, the ServerClient takes promoted batches only. Otherwise batches that wait for a
// slot would use up asynq's concurrency, and a promoted batch would have to wait until one
// of them ends. Make one with NewServerClient.
type ServerClient struct {
	redis.UniversalClient
	ServerClientOptions

	ahead   *redis.Script
	changed chan struct{} // has a value after a message was handled
	stopped chan struct{}
	stop    sync.Once

	mu       sync.Mutex
	inHand   int
	arriving int       // messages that were taken and did not reach the handler yet
	taken    time.Time // when the last one was
}

// ServerClientOptions configure an ServerClient.
type ServerClientOptions struct {
	Queues   []string
	Most     int           // messages handled at once, besides promoted ones; fewer than the server's concurrency
	Poll     time.Duration // between two searches for a promoted batch
	HasRoom  func() bool   // reports whether limits would admit a promoted batch
	Handling asynq.Handler // of the server
}

var _ asynq.Handler = (*ServerClient)(nil)

// NewServerClient makes the client and the handler of a server.
func NewServerClient(c redis.UniversalClient, o ServerClientOptions) *ServerClient {
	return &ServerClient{
		UniversalClient: c, ServerClientOptions: o, ahead: redis.NewScript(oversizedFunction() + aheadScript + dequeueScript),
		changed: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
}

// aheadScript ends before dequeueScript unless the next message of the queue is among the
// promoted ones, KEYS[5].
const aheadScript = `
local head = redis.call("LINDEX", KEYS[1], -1)
if not head or redis.call("SISMEMBER", KEYS[5], head) == 0 then
	return nil
end`

// Stop makes attempts to take messages return. Call it before the server stops.
func (c *ServerClient) Stop() { c.stop.Do(func() { close(c.stopped) }) }

// ProcessTask calls the handler, and counts the message as in hand until it returns.
func (c *ServerClient) ProcessTask(ctx context.Context, t *asynq.Task) error {
	c.mu.Lock()
	c.inHand++
	c.arriving = max(c.arriving-1, 0)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.inHand--
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}()
	return c.Handling.ProcessTask(ctx, t)
}

// EvalSha runs a script. While the server is full, asynq's script that takes a message
// waits for room or a promoted batch. After maxWait it answers that the queue is empty.
func (c *ServerClient) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	if sha1 != asynqDequeue || len(args) == 0 {
		return c.UniversalClient.EvalSha(ctx, sha1, keys, args...)
	}
	timeout, poll := time.NewTimer(maxWait), time.NewTicker(c.Poll)
	defer timeout.Stop()
	defer poll.Stop()
	for c.full() {
		select {
		case <-c.changed:
		case <-poll.C:
			if cmd := c.takeAhead(ctx, args[0]); cmd != nil {
				return c.note(cmd)
			}
		case <-timeout.C:
			return emptyQueue(ctx)
		case <-c.stopped:
			return emptyQueue(ctx)
		}
	}
	return c.note(c.UniversalClient.EvalSha(ctx, sha1, keys, args...))
}

// emptyQueue is the answer of asynq's script for an empty queue.
func emptyQueue(ctx context.Context) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(redis.Nil)
	return cmd
}

func (c *ServerClient) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.arriving > 0 && time.Since(c.taken) > arrivesWithin {
		c.arriving = 0
	}
	return c.inHand+c.arriving >= c.Most
}

// note counts the message in an answer as one that will reach the handler.
func (c *ServerClient) note(answer *redis.Cmd) *redis.Cmd {
	if answer.Err() == nil {
		c.mu.Lock()
		c.arriving++
		c.taken = time.Now()
		c.mu.Unlock()
	}
	return answer
}

// takeAhead takes a promoted batch of any queue: asynq reads the queue's name from the
// message. It returns nil when there is none.
func (c *ServerClient) takeAhead(ctx context.Context, leaseEnd any) *redis.Cmd {
	if !c.HasRoom() {
		return nil // it would go back to the end of the queue
	}
	for _, queue := range c.Queues {
		if n, err := c.Exists(ctx, promotedKey(queue)).Result(); err == nil && n == 0 {
			continue // most often; the embedded Redis starts an interpreter for each script
		}
		prefix := "asynq:{" + queue + "}:"
		keys := []string{prefix + "pending", prefix + "paused", prefix + "active", prefix + "lease", promotedKey(queue)}
		if cmd := c.ahead.Run(ctx, c.UniversalClient, keys, leaseEnd, prefix+"t:"); !errors.Is(cmd.Err(), redis.Nil) {
			return cmd
		}
	}
	return nil
}
