package queue

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// maxPromoted is how many promoted batches a queue may have at a time, so that many new
// transfers do not stall a large one.
const maxPromoted = 16

// promotedKey is the set of the batches of a queue that were promoted.
func promotedKey(queue string) string { return "baler:{" + queue + "}:promoted" }

// Promote moves a batch that waits in the queue ahead of all others but those promoted
// before it. So the first batch of a transfer starts when the next slot is free,
// however many batches of other transfers wait. Promote leaves a batch that no longer
// waits as it is.
func (p *Producer) Promote(ctx context.Context, b *tasks.Batch) error {
	prefix := "asynq:{" + b.Queue + "}:"
	keys := []string{prefix + "pending", promotedKey(b.Queue)}
	err := p.redis.Eval(ctx, promoteScript, keys, BatchTaskID(b.ID), maxPromoted).Err()
	if err = p.sending.Done(ctx, err); err != nil {
		return fmt.Errorf("promote batch %d: %w", b.ID, err)
	}
	return nil
}

// promoteScript finds the promoted tasks at the end from which asynq v0.26.0 takes them,
// the right one, and puts the task behind them.
const promoteScript = `
local ahead = {}
local pivot = false
local i = -1
while true do
	local id = redis.call("LINDEX", KEYS[1], i)
	if not id then break end
	if redis.call("SISMEMBER", KEYS[2], id) == 0 then
		pivot = id
		break
	end
	table.insert(ahead, id)
	i = i - 1
end
redis.call("DEL", KEYS[2])
for _, id in ipairs(ahead) do
	redis.call("SADD", KEYS[2], id)
end
if #ahead >= tonumber(ARGV[2]) or not pivot then
	return 0
end
if pivot ~= ARGV[1] then
	if redis.call("LREM", KEYS[1], -1, ARGV[1]) == 0 then
		return 0
	end
	redis.call("LINSERT", KEYS[1], "AFTER", pivot, ARGV[1])
end
redis.call("SADD", KEYS[2], ARGV[1])
return 1`
