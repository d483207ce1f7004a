package queue

import (
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// NewLogger passes asynq's messages to log, its debug and info messages as debug.
func NewLogger(log *slog.Logger) Logger { return Logger{log} }

// Logger is an asynq.Logger. Make one with NewLogger.
type Logger struct{ log *slog.Logger }

var _ asynq.Logger = Logger{}

// Debug logs a message.
func (l Logger) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
// Info logs a message.
func (l Logger) Info(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
// Warn logs a message.
func (l Logger) Warn(args ...any)  { l.log.Warn("asynq: " + fmt.Sprint(args...)) }
// Error logs a message.
func (l Logger) Error(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }

// Fatal logs an error: ending the process is not a library's to decide.
func (l Logger) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }
