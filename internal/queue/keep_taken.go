package queue

import (
	"context"
	"fmt"
	"time"
)

// takenFor is how long the caller of TakeDue may keep the messages without a call of
// KeepTaken. After that the next TakeDue puts them back into their groups. It is more than
// the clocks of asynq's servers may differ, because those put messages back, too.
const takenFor = MaxClockSkew + 10*time.Second

// KeepTakenEvery is how often a caller that has not finished calls KeepTaken.
const KeepTakenEvery = takenFor / 4

// Held reports, by the caller's clock, whether the messages still belong to the caller. The
// process may have been frozen until others took them.
func (t *TakenFiles) Held() bool { return time.Now().Before(*t.until.Load()) }

// holdFrom notes that the messages belong to the caller for takenFor from a time on.
func (t *TakenFiles) holdFrom(since time.Time) { t.until.Store(new(since.Add(takenFor))) }

// KeepTaken keeps messages for takenFor from now on. It reports false when they do not
// belong to the caller any more.
func (p *Producer) KeepTaken(ctx context.Context, taken *TakenFiles) (held bool, err error) {
	since := time.Now()
	if held, err = p.setDeadline(ctx, taken, takenFor); held {
		taken.holdFrom(since)
	}
	return held, err
}

// ReturnTaken gives messages up: the next TakeDue puts them back into their groups.
func (p *Producer) ReturnTaken(ctx context.Context, taken *TakenFiles) error {
	_, err := p.setDeadline(ctx, taken, 0)
	return err
}

func (p *Producer) setDeadline(ctx context.Context, taken *TakenFiles, left time.Duration) (held bool, err error) {
	keys := append([]string{"asynq:{" + taken.Queue + "}:aggregation_sets"}, taken.sets...)
	n, err := p.keepTakenScript.Run(ctx, p.redis, keys, int64(left.Seconds())).Int()
	if err = p.asking.Done(ctx, err); err != nil {
		return false, fmt.Errorf("keep collected files: %w", err)
	}
	return n == 1, nil
}

// keepTakenText moves the deadlines of the aggregation sets from KEYS[2] on by ARGV[1]
// seconds from now, unless one of them has been put back.
const keepTakenText = `
for i = 2, #KEYS do
	if not redis.call("ZSCORE", KEYS[1], KEYS[i]) then
		return 0
	end
end
local t = redis.call("TIME")
for i = 2, #KEYS do
	redis.call("ZADD", KEYS[1], tonumber(t[1]) + tonumber(ARGV[1]), KEYS[i])
end
return 1`

// putBackText is the beginning of takeDueText: it puts the messages of aggregation sets
// whose owner has died back into their groups, and notes these as due. asynq v0.26.0 does
// the same once a minute, but without the names of the groups.
const putBackText = `
local delay, room, set, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[5]
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
for _, left in ipairs(redis.call("ZRANGEBYSCORE", KEYS[3], "-inf", tonumber(t[1]))) do
	local from = string.match(left, "^(.*):[^:]*$")
	if from and string.sub(from, 1, #prefix + 2) == prefix .. "g:" then
		local group = string.sub(from, #prefix + 3)
		local members = redis.call("ZRANGE", left, 0, -1, "WITHSCORES")
		for i = 1, #members, 2 do
			redis.call("ZADD", from, members[i + 1], members[i])
		end
		if #members > 0 then
			redis.call("SADD", KEYS[2], group)
			redis.call("ZADD", KEYS[1], string.format("%.0f", now - delay), group)
		end
		redis.call("DEL", left)
	end
	redis.call("ZREM", KEYS[3], left)
end
`
