package baler

import (
	"fmt"
	"log/slog"

	"github.com/hibiken/asynq"
)

// asynqLog hands asynq's messages to slog.
type asynqLog struct{ log *slog.Logger }

var _ asynq.Logger = asynqLog{}

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }

// Fatal logs an error: ending the process is not a library's to decide.
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }
