package baler

import (
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/balerhq/baler/config"
)

// StopSignals are the signals that end a program in order: SIGINT, SIGTERM, and
// SIGHUP unless the program was started to ignore it, as nohup does.
func StopSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// NewLogger makes a logger with the level and format of the settings.
func NewLogger(w io.Writer, cfg config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // config has checked it
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
