package queue

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// asynq's aggregation looks every few seconds at each group that has tasks. It would take those that
// are due into sets of its own, which come back only after two minutes when their worker has died.
// So ServerClient lets asynq take none, and records the groups that have no record yet: TakeDue takes
// them, and what it takes comes back within seconds.

// checkedGroup returns the queue and the group at which asynq's script with these keys and arguments looks, or
// nothing for another script.
func checkedGroup(keys []string, args []any) (queue, group string) {
	if len(keys) != 4 || len(args) != 6 {
		return "", ""
	}
	queue, sets := strings.CutSuffix(strings.TrimPrefix(keys[2], "asynq:{"), "}:aggregation_sets")
	group, named := args[5].(string)
	prefix := "asynq:{" + queue + "}:"
	if !sets || !named || keys[0] != prefix+"g:"+group || keys[3] != prefix+"groups" {
		return "", ""
	}
	return queue, group
}

// noteFound records a group that asynq has found, and answers for asynq that it has taken none of its tasks.
func (c *ServerClient) noteFound(ctx context.Context, queue, group string) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	keys := []string{dueKey(queue), "asynq:{" + queue + "}:g:" + group}
	if err := c.noteGroup.Run(ctx, c.UniversalClient, keys, group).Err(); err != nil {
		cmd.SetErr(err)
		return cmd
	}
	cmd.SetVal(int64(0))
	return cmd
}

// noteGroupText records the group ARGV[1] in KEYS[1] from now on, unless it is there. The producer may
// be about to record it, with an earlier time.
const noteGroupText = `
if redis.call("ZCARD", KEYS[2]) > 0 and not redis.call("ZSCORE", KEYS[1], ARGV[1]) then
	local t = redis.call("TIME")
	redis.call("ZADD", KEYS[1], string.format("%.0f", tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)), ARGV[1])
end
return 0`
