package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// observer logs and measures every request. It stands outermost, so that it
// sees what a recovered panic or a refused request was answered with.
type observer struct {
	log       *slog.Logger
	durations *prometheus.HistogramVec // by route and code
}

func newDurations() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "baler_http_request_duration_seconds",
		Help:    "How long HTTP requests took, by route and status code.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"route", "code"})
}

func (o *observer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		// Deferred, so that an aborted request is seen too.
		defer func() { o.observe(r, rec, time.Since(start)) }()
		next.ServeHTTP(rec, r)
	})
}

func (o *observer) observe(r *http.Request, rec *recorder, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // net/http's own answer to a handler that wrote nothing
	}
	route := routeOf(r)
	o.durations.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	o.log.LogAttrs(r.Context(), level(route, status), "http request",
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("took", took),
		slog.String("remote", r.RemoteAddr),
	)
}

// routeOf is the pattern that matched: a bounded set, whatever clients ask for.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "unmatched"
	}
	return r.Pattern
}

// level keeps what machines ask every few seconds out of the ordinary log.
func level(route string, status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	_, path, ok := strings.Cut(route, " ")
	if !ok {
		path = route
	}
	switch path {
	case "/healthz", "/readyz", "/metrics", monitorRoot + "/":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
