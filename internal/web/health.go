package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/api"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/internal/outage"
)

// readyTimeout is how long a dependency may take to answer /readyz.
const readyTimeout = 2 * time.Second

// errTimeout is the error of a dependency that did not answer in time.
var errTimeout = errors.New("no answer in time")

// dependency is a service without which the server is not ready.
type dependency struct {
	name  string
	ping  func(ctx context.Context) error
	watch *outage.Watch
}

// alive answers whatever the state of the dependencies, so that an orchestrator
// does not restart the process because a database is down.
func alive(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// readiness reports whether the server can handle requests.
type readiness struct {
	dependencies []dependency
	own          func() error // of the process itself; nil when it needs nothing else
	timeout      time.Duration
}

func (h *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var reasons []string
	var errs []*huma.ErrorDetail
	if down := h.check(r.Context()); len(down) > 0 {
		reasons = append(reasons, "no answer from "+strings.Join(down, " and "))
		for _, name := range down {
			errs = append(errs, &huma.ErrorDetail{Message: "does not answer; the log of this process has the error", Location: name})
		}
	}
	if h.own != nil {
		if err := h.own(); err != nil {
			reasons = append(reasons, err.Error())
			errs = append(errs, &huma.ErrorDetail{Message: err.Error(), Location: "process"})
		}
	}
	if len(reasons) == 0 {
		writeText(w, "ready\n")
		return
	}
	api.WriteProblem(w, api.Problem(http.StatusServiceUnavailable, "Not ready: "+strings.Join(reasons, "; ")+".", errs...))
}

// check pings all dependencies in parallel and returns the names of those that are
// down. The errors go to the log only, because they name hosts and accounts.
func (h *readiness) check(ctx context.Context) []string {
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	answers := make([]<-chan error, len(h.dependencies))
	for i, s := range h.dependencies {
		answers[i] = startPing(ctx, s.ping)
	}
	var down []string
	for i, s := range h.dependencies {
		if err := await(ctx, answers[i]); s.watch.Done(asked, err) != nil {
			down = append(down, s.name)
		}
	}
	return down
}

func startPing(ctx context.Context, ping func(context.Context) error) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- ping(ctx) }()
	return answer
}

// await returns when ctx ends, also when the driver does not.
func await(ctx context.Context, answer <-chan error) error {
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer: // the answer came at the same time as the end of ctx
		return err
	default:
		return errTimeout
	}
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text)) // an error means that the client has disconnected
}
