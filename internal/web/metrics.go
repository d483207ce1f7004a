package web

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds how many scrapes read the database at once.
const maxScrapes = 4

// metricsHandler shows what the caller gathers, what this server measures and
// the backlog. A part that cannot be gathered never hides the others.
func metricsHandler(opts *Options, durations *prometheus.HistogramVec) (http.Handler, error) {
	own := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{durations, newBacklog(opts.Transfers, opts.Log)} {
		if err := own.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	gatherers := prometheus.Gatherers{own}
	if opts.Metrics != nil {
		gatherers = append(gatherers, opts.Metrics)
	}
	return promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(opts.Log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	}), nil
}
