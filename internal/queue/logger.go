package queue

import (
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// Logger writes asynq's messages to slog.
type Logger struct{ Log *slog.Logger }

var _ asynq.Logger = Logger{}

// Debug logs a message.
func (l Logger) Debug(args ...any) { l.Log.Debug("asynq: " + fmt.Sprint(args...)) }

// Info logs a message as debug: asynq tells much that concerns nobody.
func (l Logger) Info(args ...any) { l.Log.Debug("asynq: " + fmt.Sprint(args...)) }

// Warn logs a warning.
func (l Logger) Warn(args ...any) { l.Log.Warn("asynq: " + fmt.Sprint(args...)) }

// Error logs an error.
func (l Logger) Error(args ...any) { l.Log.Error("asynq: " + fmt.Sprint(args...)) }

// Fatal logs an error and does not end the process.
func (l Logger) Fatal(args ...any) { l.Log.Error("asynq: " + fmt.Sprint(args...)) }
