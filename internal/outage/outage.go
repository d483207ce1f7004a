// Package outage keeps a log readable while a service is unavailable: however many loops retry,
// the log has one line when the service fails, one a minute while it keeps failing, and one
// when it works again.
package outage

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Service is a service that may fail.
type Service string

// The services that Baler needs.
const (
	Database Service = "the database"
	Redis    Service = "Redis"
)

// repeat is the time between two lines about the same outage.
const repeat = time.Minute

// Watch reports one use of a service, such as that of one loop. Watches of the same
// service whose logs come from one Share report together: it works again when each use
// that failed has succeeded, or has not been tried for a minute. A nil Watch reports
// nothing. It is safe for concurrent use.
type Watch struct {
	log    *slog.Logger
	state  *state
	doing  string
	forget time.Duration
}

// New watches a service for a caller that retries, and that reports both Failed and
// Answered. doing says what it does with the service, such as "record results".
func New(log *slog.Logger, s Service, doing string) *Watch {
	return &Watch{log: log, state: stateOf(log, s), doing: doing, forget: time.Minute}
}

// NewPassive watches a service for a caller that learns of failures only.
func NewPassive(log *slog.Logger, s Service, doing string) *Watch {
	return &Watch{log: log, state: stateOf(log, s), doing: doing, forget: 10 * time.Second}
}

// Failed reports that the use of the service failed, and will be tried again. The error
// that it returns is err, marked: another Watch does not report it once more.
func (w *Watch) Failed(ctx context.Context, err error) error {
	if w == nil || Told(err) {
		return err
	}
	w.state.failed(ctx, w, err)
	return toldError{err}
}

// Answered reports that the use of the service succeeded.
func (w *Watch) Answered(ctx context.Context) {
	if w != nil {
		w.state.answered(ctx, w)
	}
}

// Done reports the outcome of one use, unless it ended with ctx.
func (w *Watch) Done(ctx context.Context, err error) error {
	switch {
	case err == nil:
		w.Answered(ctx)
	case ctx.Err() == nil:
		return w.Failed(ctx, err)
	}
	return err
}

// Told reports whether a Watch has reported the error.
func Told(err error) bool {
	_, told := errors.AsType[toldError](err)
	return told
}

// Level is the level of a line about an error: debug when a Watch has reported it.
func Level(err error) slog.Level {
	if Told(err) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// toldError is an error that a Watch has reported.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }
