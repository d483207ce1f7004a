package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/tasks"
)

// asynq looks at its groups once a second at most, and counts whole seconds. So a
// producer also notes, in a sorted set beside asynq's own keys, since when the first
// file of a group waits, in milliseconds of Redis's clock: the clocks of producers and
// workers do not matter. TakeDue finds there what is due, by the millisecond. A note that
// is lost, or never made, delays files and loses none: asynq finds the group by itself.

// wakeEvery is how often at most the workers are woken while files come to groups that
// they know of: a group may be full before its time.
const wakeEvery = 50 * time.Millisecond

// noteGroups notes groups whose first file has waited so long already, and wakes the
// workers when one of them is due before all that they know of.
func (p *Producer) noteGroups(ctx context.Context, queue string, files []FileTask, transfer int64, waited time.Duration) error {
	seen := make(map[string]bool)
	args := []any{dueChannel(queue), waited.Milliseconds(), wakeEvery.Milliseconds()}
	for i := range files {
		group := tasks.GroupOf(files[i].Handler, transfer, files[i].File.No)
		if !seen[group] {
			seen[group] = true
			args = append(args, group)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	keys := []string{dueKey(queue), "baler:{" + queue + "}:woken"}
	if err := p.noteGroupsScript.Run(ctx, p.redis, keys, args...).Err(); err != nil {
		return fmt.Errorf("note when groups are due: %w", err)
	}
	return nil
}

// noteGroupsText notes the groups from ARGV[4] on in KEYS[1] unless they are there, and
// publishes a wake-up on the channel ARGV[1]. An account of Redis that may not publish
// leaves it at that.
const noteGroupsText = `
local t = redis.call("TIME")
local since = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) - tonumber(ARGV[2])
local first = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")[2]
for i = 4, #ARGV do
	redis.call("ZADD", KEYS[1], "NX", string.format("%.0f", since), ARGV[i])
end
if not first or since < tonumber(first) or redis.call("SET", KEYS[2], 1, "NX", "PX", ARGV[3]) then
	redis.pcall("PUBLISH", ARGV[1], "due")
end
return 0`

// WakeUps returns a channel that has a value after files have come to a group of the
// queues that may be due before all others. end must be called. A wake-up may be lost.
func (p *Producer) WakeUps(ctx context.Context, queues []string) (wake <-chan struct{}, end func()) {
	channels := make([]string, len(queues))
	for i, queue := range queues {
		channels[i] = dueChannel(queue)
	}
	subscription := p.redis.Subscribe(ctx, channels...)
	woken := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range subscription.Channel() {
			select {
			case woken <- struct{}{}:
			default: // one is waiting already
			}
		}
	}()
	return woken, func() {
		_ = subscription.Close() // fails when Redis is away; nothing is left either way
		<-done
	}
}

// dueKey is where the time of each group's first file is.
func dueKey(queue string) string { return "baler:{" + queue + "}:due-groups" }

func dueChannel(queue string) string { return "baler:{" + queue + "}:due" }
