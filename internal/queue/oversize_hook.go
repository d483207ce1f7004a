package queue

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"encoding/hex"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

const (
	// maxMessage is how large a message may be in Redis: tasks.MaxPayload, and what asynq
	// writes around it.
	maxMessage = 4 * tasks.MaxPayload

	// oversizedList is the end of the key under which the beginnings of larger messages
	// wait for TakeOversized, and maxOversized how many.
	oversizedList = "baler:oversized"
	maxOversized  = 100
)

// OversizeHook is a go-redis hook that keeps asynq from reading messages that are far
// too large for Baler's: reading a message of 50 MB may exceed the client's timeout,
// and asynq then retries it without end and never reads the messages behind it. The
// hook replaces the scripts with which asynq v0.26.0 reads messages by scripts that
// check the length first. They remove a message that is too large from the queue and
// keep its beginning for TakeOversized.
type OversizeHook struct {
	scripts map[string]string // our scripts by the SHA-1 of asynq's; a test checks them
}

var _ redis.Hook = OversizeHook{}

// NewOversizeHook makes the hook.
func NewOversizeHook() OversizeHook {
	shared := oversizedFunction()
	return OversizeHook{map[string]string{
		asynqDequeue: shared + dequeueScript,
		"74ba718a5ed06d87a29e289ce500f34eac8759fc": shared + readSetScript,
		"16988a462595f6ee317be300951533b004f27f5c": shared + listExpiredScript,
	}}
}

// oversizedFunction is the Lua function oversized(prefix, id), which takes a message that
// is too large out of asynq's tasks, whose keys begin with prefix, and reports whether it is.
func oversizedFunction() string {
	return `
local function oversized(prefix, id)
	local key = prefix .. id
	if redis.call("HSTRLEN", key, "msg") <= ` + strconv.Itoa(maxMessage) + ` then
		return false
	end
	local list = string.sub(prefix, 1, -3) .. "` + oversizedList + `"
	redis.call("RPUSH", list, string.sub(redis.call("HGET", key, "msg"), 1, ` + strconv.Itoa(tasks.MaxPayload) + `))
	redis.call("LTRIM", list, -` + strconv.Itoa(maxOversized) + `, -1)
	redis.call("DEL", key)
	return true
end
`
}

// dequeueScript takes the next message of a queue. KEYS are its lists of pending, paused
// and active tasks and its leases, ARGV the end of the lease and the prefix of tasks.
const dequeueScript = `
if redis.call("EXISTS", KEYS[2]) == 1 then
	return nil
end
while true do
	local id = redis.call("RPOPLPUSH", KEYS[1], KEYS[3])
	if not id then
		return nil
	end
	local key = ARGV[2] .. id
	if not oversized(ARGV[2], id) then
		redis.call("HSET", key, "state", "active")
		redis.call("HDEL", key, "pending_since")
		redis.call("ZADD", KEYS[4], ARGV[1], id)
		return redis.call("HGET", key, "msg")
	end
	redis.call("LREM", KEYS[3], 1, id)
end`

// readSetScript reads the messages of an aggregation set, KEYS[1].
const readSetScript = `
local msgs = {}
for _, id in ipairs(redis.call("ZRANGE", KEYS[1], 0, -1)) do
	if oversized(ARGV[1], id) then
		redis.call("ZREM", KEYS[1], id)
	else
		table.insert(msgs, redis.call("HGET", ARGV[1] .. id, "msg"))
	end
end
return msgs`

// listExpiredScript reads the messages whose lease, in KEYS[1], ended before ARGV[1].
const listExpiredScript = `
local res = {}
for _, id in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", ARGV[1])) do
	if oversized(ARGV[2], id) then
		redis.call("ZREM", KEYS[1], id)
		redis.call("LREM", string.sub(ARGV[2], 1, -3) .. "active", 0, id)
	else
		local v = redis.call("HGET", ARGV[2] .. id, "msg")
		if v then
			table.insert(res, v)
		end
	end
end
return res`

// DialHook changes nothing.
func (OversizeHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook changes nothing: asynq runs these scripts one by one.
func (OversizeHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook replaces asynq's scripts. go-redis sends the name of a script first, and
// its text when Redis does not know it; both name ours then.
func (h OversizeHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		if len(args) < 2 {
			return next(ctx, cmd)
		}
		text, _ := args[1].(string)
		switch cmd.Name() {
		case "evalsha":
			if ours := h.scripts[text]; ours != "" {
				args[1] = nameOf(ours)
			}
		case "eval":
			if ours := h.scripts[nameOf(text)]; ours != "" {
				args[1] = ours
			}
		}
		return next(ctx, cmd)
	}
}

func nameOf(script string) string {
	sum := sha1.Sum([]byte(script)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}
