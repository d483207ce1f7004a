package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/queue"
)

// diagnoseQueue checks Redis. An embedded one needs no check.
func (d *doctor) diagnoseQueue(ctx context.Context) (checks []Check) {
	if d.cfg.Redis.URL == string(config.Embedded) {
		return []Check{well("queue", "embedded: it lives and ends with each process")}
	}
	q, err := queue.Open(ctx, d.cfg.Redis, d.log)
	if err != nil {
		return []Check{ill("queue", StatusError, err, "")} // the error says what to do
	}
	defer func() {
		if err := q.Close(); err != nil {
			checks = append(checks, ill("queue", StatusWarning, err, "look at the log of Redis"))
		}
	}()
	text, err := q.Client.Info(ctx).Result()
	if err != nil {
		return []Check{ill("queue", StatusError, fmt.Errorf("ask Redis about itself: %w", err), "allow this account the command INFO")}
	}
	info := parseInfo(text)
	checks = append(checks, redisVersion(q.Address, info["redis_version"]), evictionPolicy(info["maxmemory_policy"]))
	at, err := q.Client.Time(ctx).Result()
	if err != nil {
		return append(checks, ill("queue clock", StatusWarning, err, "allow this account the command TIME"))
	}
	return append(checks, queueSkew(d.now().Sub(at)))
}

// parseInfo parses the answer to INFO: sections of name:value lines.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// redisVersion compares a version with 6.2, the oldest that asynq supports.
func redisVersion(where, version string) Check {
	parts := strings.SplitN(version, ".", 3)
	c := well("queue", "%s, version %s", where, version)
	if len(parts) < 2 {
		c.Status, c.Hint = StatusWarning, "make sure that it is Redis 6.2 or later"
		return c
	}
	major, majorErr := strconv.Atoi(parts[0])
	minor, minorErr := strconv.Atoi(parts[1])
	if majorErr != nil || minorErr != nil || major < 6 || major == 6 && minor < 2 {
		c.Status, c.Hint = StatusError, "install Redis 6.2 or later"
	}
	return c
}

// evictionPolicy must be noeviction: any other policy drops messages when memory is full.
func evictionPolicy(policy string) Check {
	c := well("eviction", "maxmemory-policy %s", policy)
	switch policy {
	case "noeviction":
	case "":
		c = Check{"eviction", StatusWarning, "Redis does not say", "make sure that maxmemory-policy is noeviction"}
	default:
		c.Status, c.Hint = StatusWarning, "set maxmemory-policy noeviction: evicted batches have to be sent again"
	}
	return c
}
