package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// readyWithin is how long a service may take to answer /readyz.
const readyWithin = 2 * time.Second

// errSilent says that a service did not answer in time.
var errSilent = errors.New("no answer in time")

// dependency is something that the server cannot do without.
type dependency struct {
	name string
	ping func(ctx context.Context) error
}

// alive answers as long as the process does: what restarts the process must
// not do so because a database is down.
func alive(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// readiness answers whether traffic may be sent here.
type readiness struct {
	log      *slog.Logger
	services []dependency
	within   time.Duration
}

func (h *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	down := h.check(r.Context())
	if len(down) == 0 {
		writeText(w, "ready\n")
		return
	}
	detail := "Not ready: no answer from " + strings.Join(down, " and ") + "."
	errs := make([]*huma.ErrorDetail, 0, len(down))
	for _, name := range down {
		errs = append(errs, &huma.ErrorDetail{Message: "does not answer; the server's log says why", Location: name})
	}
	writeProblem(w, problem(http.StatusServiceUnavailable, detail, errs...))
}

// check asks all services at once and returns the names of those that are down.
// The reasons go to the log only: they name hosts and accounts.
func (h *readiness) check(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, h.within)
	defer cancel()
	answers := make([]<-chan error, len(h.services))
	for i, s := range h.services {
		answers[i] = ask(ctx, s.ping)
	}
	var down []string
	for i, s := range h.services {
		if err := await(ctx, answers[i]); err != nil {
			h.log.WarnContext(ctx, "service is down", "service", s.name, "error", err)
			down = append(down, s.name)
		}
	}
	return down
}

func ask(ctx context.Context, ping func(context.Context) error) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- ping(ctx) }()
	return answer
}

// await does not rely on a driver to give up when its context does.
func await(ctx context.Context, answer <-chan error) error {
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer: // came in the same moment
		return err
	default:
		return errSilent
	}
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text)) // a client that has gone away needs no answer
}
