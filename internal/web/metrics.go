package web

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes limits the scrapes that read the database at the same time.
const maxScrapes = 4

// metricsHandler serves the caller's metrics, those of this server, and those of the
// database and the queue. An error in one of them does not hide the others.
func metricsHandler(opts *Options, durations *prometheus.HistogramVec) (http.Handler, error) {
	own := prometheus.NewRegistry()
	collectors := []prometheus.Collector{durations, newBacklogCollector(opts.Transfers, opts.Log)}
	if opts.Queues != nil {
		collectors = append(collectors, newQueueCollector(opts.Queues, opts.Log))
	}
	if opts.Workers != nil {
		collectors = append(collectors, newWorkerCollector(opts.Workers, opts.Log))
	}
	for _, c := range collectors {
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
