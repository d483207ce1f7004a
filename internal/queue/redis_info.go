package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RedisInfo is the answer of Redis to INFO. Fields that the answer lacks are zero.
type RedisInfo struct {
	Version        string
	EvictionPolicy string // maxmemory-policy
	UsedMemory     int64  // bytes
	MaxMemory      int64  // bytes; 0: no limit
	Replica        bool   // it rejects writes
}

// NoEviction is the only policy with which Redis never drops messages.
const NoEviction = "noeviction"

// Evicts reports whether Redis drops messages when its memory is full.
func (i RedisInfo) Evicts() bool { return i.EvictionPolicy != "" && i.EvictionPolicy != NoEviction }

// Info asks Redis about itself.
func (q *Conn) Info(ctx context.Context) (RedisInfo, error) {
	text, err := q.Client.Info(ctx).Result()
	if err != nil {
		return RedisInfo{}, fmt.Errorf("ask Redis about itself: %w", err)
	}
	info := parseInfo(text)
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(info[name], 10, 64) // no number means that the field is missing
		return n
	}
	return RedisInfo{
		Version: info["redis_version"], EvictionPolicy: info["maxmemory_policy"],
		UsedMemory: number("used_memory"), MaxMemory: number("maxmemory"), Replica: info["role"] == "slave",
	}, nil
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

// TryWrite sets a key and deletes it, as this account.
func (q *Conn) TryWrite(ctx context.Context) error {
	if err := q.Client.Set(ctx, trialKey, "a trial", time.Minute).Err(); err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	if err := q.Client.Del(ctx, trialKey).Err(); err != nil {
		return fmt.Errorf("try to delete: %w", err)
	}
	return nil
}

// EvictionFix is what to do about a Redis that evicts.
const EvictionFix = "run 'redis-cli CONFIG SET maxmemory-policy noeviction' on it and set the same in its configuration, " +
	"or set redis.allow_eviction (BALER_REDIS_ALLOW_EVICTION) to accept that lost batches are sent again"

// ErrEvicts says that Redis drops messages when its memory is full.
var ErrEvicts = errors.New("Redis evicts messages when its memory is full") //nolint:staticcheck // Redis is a name

// CheckEviction returns ErrEvicts, with a hint, for a Redis that evicts. An embedded
// Redis passes, and so does a Redis that does not report its policy.
func (q *Conn) CheckEviction(ctx context.Context) error {
	if q.Embedded() {
		return nil
	}
	info, err := q.Info(ctx)
	if err != nil || !info.Evicts() {
		return nil //nolint:nilerr // managed servers may forbid the question
	}
	return fmt.Errorf("%w: maxmemory-policy is %s at %s; %s", ErrEvicts, info.EvictionPolicy, q.Address, EvictionFix)
}
