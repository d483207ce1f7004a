package web

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

// workerCollector is a prometheus.Collector that counts the live workers at each scrape.
// A worker that died is known by its absence: its own metrics are gone with it.
type workerCollector struct {
	list  func(ctx context.Context) ([]tasks.Worker, error)
	watch *outage.Watch

	workers *prometheus.Desc
}

func newWorkerCollector(list func(context.Context) ([]tasks.Worker, error), log *slog.Logger) *workerCollector {
	return &workerCollector{
		list:    list,
		watch:   outage.New(log, outage.Database, "count workers"),
		workers: gauge("baler_workers", "Live workers, by the state that a person has set.", "state"),
	}
}

// Describe implements prometheus.Collector.
func (c *workerCollector) Describe(out chan<- *prometheus.Desc) { out <- c.workers }

// Collect implements prometheus.Collector. Without an answer from the database it reports
// nothing.
func (c *workerCollector) Collect(out chan<- prometheus.Metric) {
	// Collect gets no context, so it needs a timeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	workers, err := c.list(ctx)
	if c.watch.Done(context.Background(), err) != nil {
		return
	}
	count := make(map[tasks.DesiredState]int)
	for i := range workers {
		count[workers[i].DesiredState]++
	}
	for state, label := range map[tasks.DesiredState]string{
		tasks.WorkerRunning: "running", tasks.WorkerPaused: "paused", tasks.WorkerDraining: "draining",
	} {
		out <- prometheus.MustNewConstMetric(c.workers, prometheus.GaugeValue, float64(count[state]), label)
	}
}
