package queue

import (
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// Logger writes asynq's messages to slog.
type Logger struct{ Log *slog.Logger }

var _ asynq.Logger = Logger{}

func (l Logger) Debug(args ...any) { l.Log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l Logger) Info(args ...any)  { l.Log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l Logger) Warn(args ...any)  { l.Log.Warn("asynq: " + fmt.Sprint(args...)) }
func (l Logger) Error(args ...any) { l.Log.Error("asynq: " + fmt.Sprint(args...)) }

// Fatal logs an error and does not end the process.
func (l Logger) Fatal(args ...any) { l.Log.Error("asynq: " + fmt.Sprint(args...)) }
