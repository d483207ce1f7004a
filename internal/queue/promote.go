package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

// maxPromoted is how many promoted batches a queue may have at a time, so that many new
// transfers do not stall a large one.
const maxPromoted = 16

// promotedKey is the set of the promoted batches of a queue that wait next. It may also have some
// that were taken since.
func promotedKey(queue string) string { return "baler:{" + queue + "}:promoted" }

// keptKey is the sorted set of all batches of a queue that were promoted and have not ended,
// in the order of their promotion. A worker that has no room sends a batch back to the end of
// the queue; the set says which of them are promoted again.
func keptKey(queue string) string { return "baler:{" + queue + "}:kept-promoted" }

// Promote moves a batch that waits in the queue ahead of all others but those promoted
// before it. So the first batch of a transfer starts when the next slot is free,
// however many batches of other transfers wait. A batch that a worker has already keeps its
// promotion for when it comes back.
func (p *Producer) Promote(ctx context.Context, b *tasks.Batch) error {
	err := p.promoteScript.Run(ctx, p.redis, promoteKeys(b.Queue), taskPrefix(b.Queue), maxPromoted, BatchTaskID(b.ID)).Err()
	if err = p.sending.Done(ctx, err); err != nil {
		return fmt.Errorf("promote batch %d: %w", b.ID, err)
	}
	return nil
}

// IsPromoted reports whether a batch was promoted.
func (p *Producer) IsPromoted(ctx context.Context, b *tasks.Batch) (bool, error) {
	err := p.redis.ZScore(ctx, keptKey(b.Queue), BatchTaskID(b.ID)).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err = p.asking.Done(ctx, err); err != nil {
		return false, fmt.Errorf("ask whether batch %d was promoted: %w", b.ID, err)
	}
	return true, nil
}

func promoteKeys(queue string) []string {
	return []string{"asynq:{" + queue + "}:pending", promotedKey(queue), keptKey(queue)}
}

func taskPrefix(queue string) string { return "asynq:{" + queue + "}:t:" }

// promoteText promotes again the batches that have come back, in the order in which they were
// promoted first, and then the batch ARGV[3], if it is given. It finds the promoted batches at
// the end from which asynq v0.26.0 takes them, the right one, and puts others behind them.
// KEYS are asynq's waiting tasks, promotedKey and keptKey; ARGV[1] is the prefix of asynq's tasks.
const promoteText = `
local most = tonumber(ARGV[2])
local function promote(id)
	local ahead = {}
	local pivot = false
	local i = -1
	while true do
		local waits = redis.call("LINDEX", KEYS[1], i)
		if not waits then break end
		if redis.call("SISMEMBER", KEYS[2], waits) == 0 then
			pivot = waits
			break
		end
		table.insert(ahead, waits)
		if waits == id then return true end
		i = i - 1
	end
	redis.call("DEL", KEYS[2])
	for _, a in ipairs(ahead) do
		redis.call("SADD", KEYS[2], a)
	end
	if #ahead >= most or not pivot then
		return false
	end
	if pivot ~= id then
		if redis.call("LREM", KEYS[1], -1, id) == 0 then
			return false
		end
		redis.call("LINSERT", KEYS[1], "AFTER", pivot, id)
	end
	redis.call("SADD", KEYS[2], id)
	return true
end
for _, id in ipairs(redis.call("ZRANGE", KEYS[3], 0, -1)) do
	local state = redis.call("HGET", ARGV[1] .. id, "state")
	if not state then
		redis.call("ZREM", KEYS[3], id)
	elseif state == "pending" then
		promote(id)
	end
end
if not ARGV[3] then
	return 0
end
local state = redis.call("HGET", ARGV[1] .. ARGV[3], "state")
if not state or state == "pending" and not promote(ARGV[3]) then
	return 0
end
if not redis.call("ZSCORE", KEYS[3], ARGV[3]) then
	local last = redis.call("ZREVRANGE", KEYS[3], 0, 0, "WITHSCORES")[2]
	redis.call("ZADD", KEYS[3], (last and tonumber(last) or 0) + 1, ARGV[3])
end
return 1`
