package baler

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/balerhq/baler/config"
)

// diagnoseQueue looks at Redis; an embedded one is as this program makes it.
func (b *Baler) diagnoseQueue(ctx context.Context) (checks []Check) {
	if b.cfg.Redis.URL == string(config.Embedded) {
		return []Check{well("queue", "embedded: it lives and ends with each process")}
	}
	q, err := openQueue(ctx, b.cfg.Redis)
	if err != nil {
		return []Check{ill("queue", StatusError, err, "")} // the error says what to do
	}
	defer func() {
		if err := q.close(); err != nil {
			checks = append(checks, ill("queue", StatusWarning, err, "look at the log of Redis"))
		}
	}()
	text, err := q.client.Info(ctx).Result()
	if err != nil {
		return []Check{ill("queue", StatusError, fmt.Errorf("ask Redis about itself: %w", err), "allow this account the command INFO")}
	}
	info := parseInfo(text)
	checks = append(checks, redisVersion(q.where, info["redis_version"]), evictionPolicy(info["maxmemory_policy"]))
	at, err := q.client.Time(ctx).Result()
	if err != nil {
		return append(checks, ill("queue clock", StatusWarning, err, "allow this account the command TIME"))
	}
	return append(checks, skew("queue clock", b.now().Sub(at)))
}

// parseInfo reads what INFO answers: sections of name:value lines.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// redisVersion holds a version against 6.2, the oldest that asynq runs on.
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

// evictionPolicy must be noeviction: a Redis that makes room by itself drops
// messages.
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
