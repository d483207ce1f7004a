// Package loglevel changes the level of a logger while it is used.
package loglevel

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Configured names the level that the settings say.
const Configured = "configured"

// Parse reads a level by its name: debug, info, warn, error, or configured, which is nil.
func Parse(name string) (*slog.Level, error) {
	if name == Configured {
		return nil, nil //nolint:nilnil // it stands for no level of its own
	}
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if name == nameOf(l) {
			return &l, nil
		}
	}
	return nil, fmt.Errorf("%.20q is no level: give debug, info, warn, error or %s", name, Configured)
}

func nameOf(l slog.Level) string {
	switch l {
	case slog.LevelDebug:
		return "debug"
	case slog.LevelWarn:
		return "warn"
	case slog.LevelError:
		return "error"
	default:
		return "info"
	}
}

// Switch is a logger whose level can be changed. It is safe for concurrent use.
type Switch struct {
	Log *slog.Logger // logs with the level of the switch

	level atomic.Pointer[slog.Level] // nil: that of the logger
}

// New makes a switch in front of a logger.
func New(l *slog.Logger) *Switch {
	s := new(Switch)
	s.Log = slog.New(handler{l.Handler(), s})
	return s
}

// Set changes the level, and says so in the log; nil returns to that of the settings. It does
// nothing when the level is that already.
func (s *Switch) Set(ctx context.Context, level *slog.Level) {
	before := s.level.Swap(level)
	if before == level || before != nil && level != nil && *before == *level {
		return
	}
	name := Configured
	if level != nil {
		name = nameOf(*level)
	}
	// Written whatever the level is: who reads the log has to know.
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "log level changed", 0)
	r.AddAttrs(slog.String("level", name))
	_ = s.Log.Handler().Handle(ctx, r) // as every logger does
}

// Toggle changes between debug and the level of the settings.
func (s *Switch) Toggle(ctx context.Context) {
	if s.level.Load() != nil {
		s.Set(ctx, nil)
		return
	}
	s.Set(ctx, new(slog.LevelDebug))
}

// handler decides by the switch; handlers write whatever they are given.
type handler struct {
	slog.Handler

	level *Switch
}

// Enabled implements slog.Handler.
func (h handler) Enabled(ctx context.Context, l slog.Level) bool {
	if level := h.level.level.Load(); level != nil {
		return l >= *level
	}
	return h.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.level}
}
