package baler

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
)

// Main is the whole program of a worker with handlers of its own: it reads the
// settings from the environment and baler.yaml, works until SIGINT, SIGTERM or SIGHUP,
// and ends the process. A second signal ends it at once.
func Main(registry *handlers.Registry) {
	if err := workUntilSignal(registry); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func workUntilSignal(registry *handlers.Registry) error {
	ctx, stop := signal.NotifyContext(context.Background(), StopSignals()...)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal is the system's to handle: it kills
	cfg, err := config.Load(config.LoadOptions{Env: os.Environ(), Fallback: "baler.yaml"})
	if err != nil {
		return err
	}
	b, err := Open(ctx, cfg, Options{Registry: registry, Log: NewLogger(os.Stderr, cfg.Log)})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // the process ends with it
	return b.Work(ctx)
}

// StopSignals are the signals that end a program in order: SIGINT, SIGTERM, and
// SIGHUP unless the program was started to ignore it, as nohup does.
func StopSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// NewLogger makes the log that the settings ask for.
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
