package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/tasks"
)

// asynq checks its groups at most once a second, and counts whole seconds. So a producer
// also records, in a sorted set beside asynq's own keys, since when the first file of a
// group waits, in milliseconds of Redis's clock. The clocks of producers and workers do not
// matter. TakeDue finds in the set which groups are due, with a resolution of a
// millisecond. A record that is lost, or never made, delays files and loses none: asynq's
// aggregation finds the group, and ServerClient records it.

// wakeEvery is the shortest time between two wake-ups of the workers while files are added
// to groups that they know of. Such wake-ups are needed because a group may be full before
// it is due.
const wakeEvery = 50 * time.Millisecond

// noteGroups records groups whose first file has waited for so long already, and wakes the
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

// noteGroupsText records the groups from ARGV[4] on in KEYS[1] unless they are there since earlier, and
// publishes a wake-up on the channel ARGV[1]. It does not publish if the Redis account has
// no right to.
const noteGroupsText = `
local t = redis.call("TIME")
local since = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) - tonumber(ARGV[2])
local first = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")[2]
for i = 4, #ARGV do
	local noted = redis.call("ZSCORE", KEYS[1], ARGV[i])
	if not noted or since < tonumber(noted) then
		redis.call("ZADD", KEYS[1], string.format("%.0f", since), ARGV[i])
	end
end
if not first or since < tonumber(first) or redis.call("SET", KEYS[2], 1, "NX", "PX", ARGV[3]) then
	redis.pcall("PUBLISH", ARGV[1], "due")
end
return 0`

// WakeUps returns a channel that receives a value when files were added to a group of the
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
			default: // the channel has a value already
			}
		}
	}()
	return woken, func() {
		_ = subscription.Close() // fails when Redis does not answer; the subscription ends in either case
		<-done
	}
}

// dueKey is the key of the times at which each group's first file began to wait.
func dueKey(queue string) string { return "baler:{" + queue + "}:due-groups" }

func dueChannel(queue string) string { return "baler:{" + queue + "}:due" }
