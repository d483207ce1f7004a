package queue

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

// MissingBatches returns the batches that the queue would not deliver, and removes their
// remains, so that they can be sent again. The queue delivers a batch when it has the
// message and asynq can find it: in the list or set of its state, and with a lease when a
// worker has it. Redis may have lost only some of these keys.
func (p *Producer) MissingBatches(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error) {
	answers := make([]*redis.Cmd, len(batches))
	_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range batches {
			answers[i] = pipe.Eval(ctx, missingScript, placesOf(&batches[i]), BatchTaskID(batches[i].ID))
		}
		return nil
	})
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("ask the queue for batches: %w", err)
	}
	var missing []tasks.Batch
	for i, answer := range answers {
		if gone, err := answer.Bool(); err != nil {
			return nil, fmt.Errorf("ask the queue for batches: %w", err)
		} else if gone {
			missing = append(missing, batches[i])
		}
	}
	return missing, nil
}

// missingScript reports whether asynq v0.26.0 would not deliver a task. If so, it
// removes the task. KEYS are those of placesOf.
const missingScript = `
local id = ARGV[1]
local state = redis.call("HGET", KEYS[1], "state")
if state == "pending" and redis.call("LPOS", KEYS[2], id) then
	return 0
elseif state == "active" and redis.call("LPOS", KEYS[3], id) and redis.call("ZSCORE", KEYS[4], id) then
	return 0
elseif state == "scheduled" and redis.call("ZSCORE", KEYS[5], id) then
	return 0
elseif state == "retry" and redis.call("ZSCORE", KEYS[6], id) then
	return 0
end
redis.call("LREM", KEYS[2], 0, id)
redis.call("LREM", KEYS[3], 0, id)
for i = 4, 8 do
	redis.call("ZREM", KEYS[i], id)
end
redis.call("DEL", KEYS[1])
return 1`

// placesOf lists the keys in which asynq v0.26.0 may keep a batch's task; tests check
// that.
func placesOf(b *tasks.Batch) []string {
	prefix := "asynq:{" + b.Queue + "}:"
	keys := []string{taskKey(b)}
	for _, place := range []string{"pending", "active", "lease", "scheduled", "retry", "archived", "completed"} {
		keys = append(keys, prefix+place)
	}
	return keys
}

// taskKey is the key in which asynq v0.26.0 keeps a task; a test checks that.
func taskKey(b *tasks.Batch) string { return "asynq:{" + b.Queue + "}:t:" + BatchTaskID(b.ID) }
