package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// MaxClockSkew is how far a worker's clock may be from that of Redis. asynq writes the
// end of a lease, 30 seconds, by the clock of the worker that has it, and compares it
// with the clock of another: with a larger difference, the batches of live workers
// count as lost.
const MaxClockSkew = 10 * time.Second

// ClockSkewError means that the clock of this host differs too much from that of Redis.
type ClockSkewError struct{ Ahead time.Duration }

func (e *ClockSkewError) Error() string {
	direction := "ahead of"
	if e.Ahead < 0 {
		direction = "behind"
	}
	return fmt.Sprintf("the clock of this host is %s %s that of Redis, and a worker's may differ by at most %s: "+
		"its batches would count as lost while they run (let all hosts keep time by NTP)",
		e.Ahead.Abs().Round(time.Second), direction, MaxClockSkew)
}

// CheckClock returns a *ClockSkewError when the clock of this host is too far from that
// of Redis.
func CheckClock(ctx context.Context, client redis.UniversalClient, host func() time.Time) error {
	sent := host()
	there, err := client.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask Redis for its time: %w", err)
	}
	answered := host()
	ahead := answered.Sub(there) // the round trip bounds the difference from both sides; the smaller one counts
	if before := sent.Sub(there); before.Abs() < ahead.Abs() {
		ahead = before
	}
	if ahead.Abs() > MaxClockSkew {
		return &ClockSkewError{ahead}
	}
	return nil
}
