package doctor

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/queue"
)

// diagnoseQueue checks Redis. An embedded one needs no check.
func (d *doctor) diagnoseQueue(ctx context.Context) (checks []Check) {
	if d.cfg.Redis.URL == string(config.Embedded) {
		return []Check{well("queue", "embedded: each process has its own, which ends with it")}
	}
	q, err := queue.Connect(d.cfg.Redis, d.log)
	if err != nil {
		return []Check{ill("queue", StatusError, err, "")} // the error says what to do
	}
	defer func() {
		if err := q.Close(); err != nil {
			checks = append(checks, ill("queue", StatusWarning, err, "look at the log of Redis"))
		}
	}()
	d.queueFault = q.Fault(ctx)
	if err := q.Ping(ctx); err != nil {
		return []Check{ill("queue", StatusError, err, "")} // this one, too
	}
	info, err := q.Info(ctx)
	if err != nil {
		checks = append(checks, ill("queue", StatusError, err, "allow this account the command INFO"))
	} else {
		checks = append(checks, redisVersion(q.Address, info.Version), eviction(info, d.cfg.Redis.AllowEviction), memory(info))
	}
	checks = append(checks, queueWrites(ctx, q, info), queueRights(ctx, q))
	at, err := q.Client.Time(ctx).Result()
	if err != nil {
		checks = append(checks, ill("queue clock", StatusWarning, err, "allow this account the command TIME"))
	} else {
		checks = append(checks, skew("queue clock", d.now().Sub(at)))
	}
	if d.queues, err = q.Stats(ctx); err != nil {
		return append(checks, ill("queues", StatusError, err, "look at the log of Redis"))
	}
	return append(checks, pausedQueues(d.queues))
}

func queueWrites(ctx context.Context, q *queue.Conn, info queue.RedisInfo) Check {
	err := q.TryWrite(ctx)
	switch {
	case err != nil && info.Replica:
		return ill("queue writes", StatusError, err, "it is a replica: point BALER_REDIS_URL at its master, or use redis-sentinel://")
	case err != nil:
		return ill("queue writes", StatusError, err, "free memory of Redis, or allow this account to write")
	}
	return well("queue writes", "this account can write")
}

// queueRights names the rights that the account lacks.
func queueRights(ctx context.Context, q *queue.Conn) Check {
	missing, err := q.MissingRights(ctx)
	switch {
	case err != nil:
		return ill("queue rights", StatusError, err, "look at the log of Redis")
	case len(missing) > 0:
		rules := strings.Join(missing, " ")
		return Check{
			"queue rights", StatusError, "this account lacks " + rules,
			fmt.Sprintf("run \"redis-cli ACL SETUSER %s '%s'\"; deploy/redis.acl has all rights", q.User(), strings.Join(missing, "' '")),
		}
	}
	return well("queue rights", "this account may run every command that Baler uses")
}

func pausedQueues(queues []queue.Stats) Check {
	var paused []string
	for i := range queues {
		if queues[i].Paused {
			paused = append(paused, queues[i].Name)
		}
	}
	if len(paused) > 0 {
		return Check{
			"queues", StatusWarning, "paused: " + strings.Join(paused, ", "), fmt.Sprintf("resume one with 'baler queue resume %s'", paused[0]),
		}
	}
	return well("queues", "none of %d is paused", len(queues))
}

// oldestRedis is the oldest version that asynq supports.
const oldestRedis = "6.2"

// redisVersion compares the version of a server with the oldest that is supported.
func redisVersion(where, version string) Check {
	c := well("queue", "%s, version %s", where, version)
	switch v := "v" + version; {
	case !semver.IsValid(v):
		c.Status, c.Hint = StatusWarning, "make sure that it is Redis "+oldestRedis+" or later"
	case semver.Compare(v, "v"+oldestRedis) < 0:
		c.Status, c.Hint = StatusError, "install Redis "+oldestRedis+" or later"
	}
	return c
}

// eviction must be off: any policy but noeviction drops messages when memory is full.
func eviction(info queue.RedisInfo, allowed bool) Check {
	c := well("eviction", "maxmemory-policy %s", info.EvictionPolicy)
	switch {
	case info.EvictionPolicy == "":
		c = Check{"eviction", StatusWarning, "Redis does not report its policy", "make sure that maxmemory-policy is noeviction"}
	case info.Evicts() && allowed:
		c.Status, c.Hint = StatusWarning, "redis.allow_eviction accepts this; Baler sends evicted batches again, which costs time"
	case info.Evicts():
		c.Status, c.Hint = StatusError, queue.EvictionFix
	}
	return c
}

// Shares of Redis' memory, in percent, from which on a check warns and fails.
const (
	muchMemory    = 80
	tooMuchMemory = 95
)

func memory(info queue.RedisInfo) Check {
	used := humanize.IBytes(uint64(max(info.UsedMemory, 0)))
	if info.MaxMemory <= 0 {
		return well("queue memory", "%s used, no limit", used)
	}
	percent := 100 * info.UsedMemory / info.MaxMemory
	c := well("queue memory", "%s of %s used, %d%%", used, humanize.IBytes(uint64(info.MaxMemory)), percent)
	switch {
	case percent >= tooMuchMemory:
		c.Status, c.Hint = StatusError, "raise maxmemory of Redis, or remove other data from it: it refuses messages when it is full"
	case percent >= muchMemory:
		c.Status, c.Hint = StatusWarning, "raise maxmemory of Redis, or remove other data from it"
	}
	return c
}
