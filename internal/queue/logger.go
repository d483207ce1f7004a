package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/outage"
)

// Logger writes asynq's messages to slog. Nearly all warnings of asynq are failures of
// Redis, repeated by each of its loops. Logger reports them as one outage.
type Logger struct {
	log   *slog.Logger
	watch *outage.Watch
}

var _ asynq.Logger = Logger{}

// NewLogger makes a Logger.
func NewLogger(log *slog.Logger) Logger {
	return Logger{log, outage.NewPassive(log, outage.Redis, "asynq")}
}

// Debug logs a message.
func (l Logger) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }

// Info logs a message as debug: most of asynq's messages are of no use to operators.
func (l Logger) Info(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }

// Warn reports a failure of Redis.
func (l Logger) Warn(args ...any) { l.failed(args) }

// Error reports a failure of Redis.
func (l Logger) Error(args ...any) { l.failed(args) }

// Fatal reports a failure and does not end the process.
func (l Logger) Fatal(args ...any) { l.failed(args) }

func (l Logger) failed(args []any) {
	text := fmt.Sprint(args...)
	l.log.Debug("asynq: " + text)
	_ = l.watch.Failed(context.Background(), errors.New(text))
}

// redisLog is the log of the Redis client, which has one a process.
type redisLog struct{ to atomic.Pointer[slog.Logger] }

// Printf logs a message for debugging: the client returns its errors too.
func (l *redisLog) Printf(ctx context.Context, format string, args ...any) {
	if log := l.to.Load(); log != nil {
		log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, args...))
	}
}

// LogThrough makes the Redis client write to a log instead of standard error. This applies
// to the whole process. The first call must precede all connections.
func LogThrough(log *slog.Logger) {
	clientLog.to.Store(log)
	installClientLog()
}

//nolint:gochecknoglobals // the client's log is global, too
var (
	clientLog        redisLog
	installClientLog = sync.OnceFunc(func() { redis.SetLogger(&clientLog) })
)
