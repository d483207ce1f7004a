package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"google.golang.org/protobuf/encoding/protowire"
)

// TakenFiles are file messages that were taken out of their groups.
type TakenFiles struct {
	Handler string
	Queue   string
	Tasks   []*asynq.Task

	sets  []string                  // where they are until RemoveTaken
	until atomic.Pointer[time.Time] // when others may take them
}

// TakeDue takes up to a number of messages of one handler's groups, once the first has
// waited for maxDelay or once there are so many. When none are due it returns nil and how
// long until some are; 0 when no group is recorded. The messages stay in aggregation sets,
// as asynq v0.26.0 keeps them, until RemoveTaken. A caller that needs longer than
// KeepTakenEvery must call KeepTaken at that interval: when a caller dies, a later call
// puts its messages back into their groups.
func (p *Producer) TakeDue(ctx context.Context, queue string, maxDelay time.Duration, most int) (*TakenFiles, time.Duration, error) {
	prefix := "asynq:{" + queue + "}:"
	keys := []string{dueKey(queue), prefix + "groups", prefix + "aggregation_sets"}
	since := time.Now()
	answer, err := p.takeDueScript.Run(ctx, p.redis, keys,
		maxDelay.Milliseconds(), most, rand.Text(), int64(takenFor.Seconds()), prefix).Slice()
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, 0, fmt.Errorf("take due groups: %w", err)
	}
	if len(answer) == 1 {
		wait, _ := answer[0].(int64)
		return nil, time.Duration(wait) * time.Millisecond, nil
	}
	if len(answer) != 3 {
		return nil, 0, fmt.Errorf("take due groups: %w: %d values", errAnswer, len(answer))
	}
	taken := &TakenFiles{Queue: queue}
	taken.holdFrom(since)
	taken.Handler, _ = answer[0].(string)
	sets, _ := answer[1].([]any)
	for _, set := range sets {
		name, _ := set.(string)
		taken.sets = append(taken.sets, name)
	}
	messages, _ := answer[2].([]any)
	for _, m := range messages {
		text, _ := m.(string)
		taken.Tasks = append(taken.Tasks, decodeTask([]byte(text)))
	}
	return taken, 0, nil
}

// errAnswer means that a script returned an unexpected answer.
var errAnswer = errors.New("unexpected answer of Redis")

// takeDueText, after putBackText, moves groups of the first handler that is due into aggregation sets, and
// answers with the handler, the sets and their messages, or with the milliseconds until
// one is due. KEYS are the notes, asynq's names of groups and its aggregation sets; ARGV
// the delay, the most messages, the name of the sets, their seconds, and the prefix of
// asynq's keys. A whole group is renamed, which costs the same whatever its size.
const takeDueText = putBackText + `
local noted = redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES")
local waiting, sizes, chosen, wait = {}, {}, false, 0
local function handler_of(group) return string.match(group, "^(.*):[^:]*$") or group end
for i = 1, #noted, 2 do
	local group = noted[i]
	local handler = handler_of(group)
	local size = redis.call("ZCARD", prefix .. "g:" .. group)
	if size == 0 then
		redis.call("ZREM", KEYS[1], group)
	else
		sizes[group] = size
		waiting[handler] = (waiting[handler] or 0) + size
		local left = tonumber(noted[i + 1]) + delay - now
		if not chosen and (left <= 0 or waiting[handler] >= room) then
			chosen = handler
		elseif wait == 0 then
			wait = left
		end
	end
end
if not chosen then
	return {wait}
end
local sets, messages = {}, {}
for i = 1, #noted, 2 do
	local group = noted[i]
	if sizes[group] and room > 0 and handler_of(group) == chosen then
		local from = prefix .. "g:" .. group
		local to = from .. ":" .. set
		if sizes[group] <= room then
			redis.call("RENAME", from, to)
			redis.call("SREM", KEYS[2], group)
			redis.call("ZREM", KEYS[1], group)
			room = room - sizes[group]
		else
			local first = redis.call("ZRANGE", from, 0, room - 1, "WITHSCORES")
			for j = 1, #first, 2 do
				redis.call("ZADD", to, first[j + 1], first[j])
			end
			redis.call("ZREMRANGEBYRANK", from, 0, room - 1)
			room = 0
		end
		redis.call("ZADD", KEYS[3], tonumber(t[1]) + tonumber(ARGV[4]), to)
		table.insert(sets, to)
		for _, id in ipairs(redis.call("ZRANGE", to, 0, -1)) do
			if oversized(prefix .. "t:", id) then
				redis.call("ZREM", to, id)
			else
				local message = redis.call("HGET", prefix .. "t:" .. id, "msg")
				if message then
					table.insert(messages, message)
				end
			end
		end
	end
end
return {chosen, sets, messages}`

// RemoveTaken deletes messages whose files are in the ledger.
func (p *Producer) RemoveTaken(ctx context.Context, taken *TakenFiles) error {
	prefix := "asynq:{" + taken.Queue + "}:"
	keys := append([]string{prefix + "aggregation_sets"}, taken.sets...)
	if err := p.removeTakenScript.Run(ctx, p.redis, keys, prefix+"t:").Err(); err != nil {
		return fmt.Errorf("remove collected files: %w", p.asking.Done(ctx, err))
	}
	return nil
}

// removeTakenText deletes the aggregation sets from KEYS[2] on with their messages. A set
// that was put back in the meantime is gone; its messages stay.
const removeTakenText = `
for i = 2, #KEYS do
	for _, id in ipairs(redis.call("ZRANGE", KEYS[i], 0, -1)) do
		redis.call("DEL", ARGV[1] .. id)
	end
	redis.call("DEL", KEYS[i])
	redis.call("ZREM", KEYS[1], KEYS[i])
end
return 0`

// The fields of asynq v0.26.0's message that matter here.
const (
	fieldType    protowire.Number = 1
	fieldPayload protowire.Number = 2
	fieldHeader  protowire.Number = 15 // an entry of a map, which is a message with these two
	fieldKey     protowire.Number = 1
	fieldValue   protowire.Number = 2
)

// decodeTask reads the type, the payload and the headers of asynq's message. Any other message
// becomes a task without a type, with the whole message as payload.
func decodeTask(message []byte) *asynq.Task {
	var kind string
	var payload []byte
	var headers map[string]string
	complete := eachField(message, func(field protowire.Number, content []byte) bool {
		switch field {
		case fieldType:
			kind = string(content)
		case fieldPayload:
			payload = content
		case fieldHeader:
			if headers == nil {
				headers = make(map[string]string)
			}
			return addHeader(headers, content)
		default: // what Baler does not use
		}
		return true
	})
	if !complete {
		return asynq.NewTask("", message)
	}
	return asynq.NewTaskWithHeaders(kind, payload, headers)
}

// addHeader reads an entry of the map of headers; false when it is none.
func addHeader(headers map[string]string, entry []byte) bool {
	var name, value string
	complete := eachField(entry, func(field protowire.Number, content []byte) bool {
		switch field {
		case fieldKey:
			name = string(content)
		case fieldValue:
			value = string(content)
		default: // a map's entry has no other fields
		}
		return true
	})
	headers[name] = value
	return complete
}

// eachField calls use with the fields of a message that have bytes, until it returns false. It
// reports whether it has read the whole message.
func eachField(message []byte, use func(protowire.Number, []byte) bool) bool {
	for len(message) > 0 {
		field, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		value := message[n:]
		size := protowire.ConsumeFieldValue(field, wire, value)
		if size < 0 {
			return false
		}
		if wire == protowire.BytesType {
			if content, _ := protowire.ConsumeBytes(value); !use(field, content) {
				return false
			}
		}
		message = value[size:]
	}
	return true
}
