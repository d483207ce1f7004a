package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// accessLog logs and measures every request. It is the outermost handler, so that
// it also sees the answers to panics and refused requests.
type accessLog struct {
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

func (l *accessLog) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &responseRecorder{ResponseWriter: w}
		// Deferred, so that it also runs for an aborted request.
		defer func() { l.observe(r, rec, time.Since(start)) }()
		next.ServeHTTP(rec, r)
	})
}

func (l *accessLog) observe(r *http.Request, rec *responseRecorder, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // what net/http sends for a handler that writes nothing
	}
	route := routeOf(r)
	l.durations.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	l.log.LogAttrs(r.Context(), level(route, status), "http request",
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("took", took),
		slog.String("remote", r.RemoteAddr),
	)
}

// routeOf is the matching pattern: a label with few values, whatever the path.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "unmatched"
	}
	return r.Pattern
}

// level logs the frequent requests of machines for debugging only.
func level(route string, status int) slog.Level {
	_, path, ok := strings.Cut(route, " ")
	if !ok {
		path = route
	}
	switch path {
	case healthPath, readyPath, metricsPath, monitorRoot + "/":
		return slog.LevelDebug // also when a service does not answer: that is logged elsewhere
	}
	if status >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
