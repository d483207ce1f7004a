package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// trialKey is the key, and the channel, on which MissingRights tries the commands.
const trialKey = "baler:doctor"

// trials are the commands that Baler and asynq v0.26.0 run, by themselves or in their
// scripts, with arguments that do no harm on a key of their own.
func trials() [][]any {
	const k = trialKey
	return [][]any{
		{"del", k},
		{"ping"}, {"info", "server"}, {"time"}, {"memory", "usage", k},
		{"eval", "return 1", 0}, {"evalsha", strings.Repeat("0", 40), 0},
		{"get", k}, {"set", k, "a trial"}, {"setex", k, 60, "a trial"}, {"incr", k}, {"exists", k},
		{"expire", k, 60}, {"expireat", k, time.Now().Add(time.Minute).Unix()},
		{"hdel", k, "f"}, {"hget", k, "f"}, {"hmget", k, "f"}, {"hset", k, "f", "v"}, {"hstrlen", k, "f"}, {"hvals", k},
		{"lindex", k, 0}, {"linsert", k, "before", "a", "b"}, {"llen", k}, {"lpop", k}, {"lpos", k, "a"}, {"lpush", k, "a"},
		{"lrange", k, 0, 0}, {"lrem", k, 0, "a"}, {"ltrim", k, 0, 0},
		{"publish", k, "a trial"}, {"rename", k, k}, {"rpoplpush", k, k}, {"rpush", k, "a"},
		{"sadd", k, "a"}, {"sismember", k, "a"}, {"smembers", k}, {"srem", k, "a"},
		{"zadd", k, 1, "a"}, {"zcard", k}, {"zrange", k, 0, 0}, {"zrangebyscore", k, 0, 0}, {"zrem", k, "a"},
		{"zremrangebyrank", k, 0, 0}, {"zremrangebyscore", k, 0, 0}, {"zrevrange", k, 0, 0}, {"zscore", k, "a"},
		{"exists", "asynq:queues"}, // for the right to the key
		{"del", k},
	}
}

// clusterTrials are the commands that the client of a cluster runs to find the server of a key
// (slots, and command for where a command has its keys), and the queue monitor to describe the
// cluster.
func clusterTrials() [][]any {
	return [][]any{{"command"}, {"cluster", "slots"}, {"cluster", "nodes"}, {"cluster", "info"}, {"cluster", "keyslot", trialKey}}
}

// MissingRights tries every command that Baler uses, and the channels, and returns the
// rules that this account's ACL lacks, such as +zcard. deploy/redis.acl has all of them;
// a test compares them.
func (q *Conn) MissingRights(ctx context.Context) ([]string, error) {
	trials := trials()
	if _, is := q.Client.(*redis.ClusterClient); is {
		trials = append(trials, clusterTrials()...)
	}
	answers := make([]*redis.Cmd, len(trials))
	_, err := q.Client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, args := range trials {
			answers[i] = pipe.Do(ctx, args...)
		}
		return nil
	})
	var missing []string
	answered := false
	for i, answer := range answers {
		if _, isAnswer := errors.AsType[redis.Error](answer.Err()); answer.Err() == nil || isAnswer {
			answered = true
		}
		if isRefused(answer.Err()) {
			missing = append(missing, missingRule(answer.Err(), trials[i]))
		}
	}
	if !answered {
		return nil, fmt.Errorf("try the commands: %w", err)
	}
	for _, channel := range []string{"asynq:cancel", trialKey} {
		rules, err := q.trySubscribe(ctx, channel)
		if err != nil {
			return nil, err
		}
		missing = append(missing, rules...)
	}
	slices.Sort(missing)
	return slices.Compact(missing), nil
}

// trySubscribe subscribes to a channel: asynq uses one to cancel tasks, and Baler uses
// others to wake workers.
func (q *Conn) trySubscribe(ctx context.Context, name string) (missing []string, err error) {
	channel := q.Client.Subscribe(ctx, name)
	defer func() { err = errors.Join(err, ignoreClosed(channel.Close())) }()
	if _, err := channel.ReceiveTimeout(ctx, pingTime); isRefused(err) {
		return []string{missingRule(err, []any{"subscribe", name})}, nil
	} else if err != nil {
		return nil, fmt.Errorf("listen to a channel: %w", err)
	}
	return nil, nil
}

// missingRule returns the rule that the account's ACL lacks.
func missingRule(err error, args []any) string {
	if rule := refusedRule(err); rule != "" {
		return rule
	}
	switch text := err.Error(); {
	case strings.Contains(text, "channel") && args[1] == "asynq:cancel":
		return "&asynq:cancel"
	case strings.Contains(text, "channel"):
		return "&baler:*"
	case strings.Contains(text, "key") && args[len(args)-1] == "asynq:queues":
		return "~asynq:*"
	case strings.Contains(text, "key"):
		return "~baler:*"
	}
	return "+" + fmt.Sprint(args[0]) // Redis 6 does not name the command
}

// User is the account of Redis, "default" when the settings name none.
func (q *Conn) User() string { return q.user }
