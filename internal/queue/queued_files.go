package queue

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

// FirstQueued returns the index of the first file whose message the queue has and will
// deliver, or the number of files when there is no such file. It removes the remains of
// messages that the queue has lost in part. A file with step 0 has no message.
func (p *Producer) FirstQueued(ctx context.Context, queue string, transfer int64, files []FileTask) (int, error) {
	for at := 0; at < len(files); at += maxKeys {
		some := files[at:min(at+maxKeys, len(files))]
		there := make([]*redis.IntCmd, len(some))
		_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i := range some {
				there[i] = pipe.Exists(ctx, fileTaskKey(queue, transfer, &some[i]))
			}
			return nil
		})
		if err = p.asking.Done(ctx, err); err != nil {
			return 0, fmt.Errorf("ask the queue for files: %w", err)
		}
		for i := range some {
			if there[i].Val() == 0 {
				continue
			}
			if delivered, err := p.isDelivered(ctx, queue, transfer, &some[i]); err != nil || delivered {
				return at + i, err
			}
		}
	}
	return len(files), nil
}

// maxKeys is how many keys one round trip queries.
const maxKeys = 500

// isDelivered reports whether asynq will deliver a file's message, which exists.
func (p *Producer) isDelivered(ctx context.Context, queue string, transfer int64, f *FileTask) (bool, error) {
	prefix := "asynq:{" + queue + "}:"
	keys := []string{
		fileTaskKey(queue, transfer, f),
		prefix + "g:" + tasks.GroupOf(f.Handler, transfer, f.File.No), prefix + "aggregation_sets",
	}
	delivered, err := p.redis.Eval(ctx, deliveredScript, keys, fileTaskID(transfer, f)).Bool()
	if err = p.asking.Done(ctx, err); err != nil {
		return false, fmt.Errorf("ask the queue for a file: %w", err)
	}
	return delivered, nil
}

// deliveredScript reports whether a file's message is in its group, or in a set that
// was taken from it, as asynq v0.26.0 keeps them, and removes the message otherwise. In
// all other states asynq delivers the message.
const deliveredScript = `
local id = ARGV[1]
if redis.call("HGET", KEYS[1], "state") ~= "aggregating" or redis.call("ZSCORE", KEYS[2], id) then
	return 1
end
local taken = false
for _, set in ipairs(redis.call("ZRANGE", KEYS[3], 0, -1)) do
	taken = taken or redis.call("ZSCORE", set, id)
end
if taken then
	return 1
end
redis.call("DEL", KEYS[1])
return 0`

func fileTaskKey(queue string, transfer int64, f *FileTask) string {
	return "asynq:{" + queue + "}:t:" + fileTaskID(transfer, f)
}
