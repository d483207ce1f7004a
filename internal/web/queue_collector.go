package web

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
)

// queueCollector is a prometheus.Collector that asks Redis at each scrape what the
// queues hold.
type queueCollector struct {
	queues func(ctx context.Context) ([]queue.Stats, error)
	watch  *outage.Watch

	up, batches, files, age, paused *prometheus.Desc
}

// gauge describes a metric that is read at each scrape.
func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func newQueueCollector(queues func(context.Context) ([]queue.Stats, error), log *slog.Logger) *queueCollector {
	return &queueCollector{
		queues: queues,
		watch:  outage.New(log, outage.Redis, "read metrics"),
		up:     gauge("baler_redis_up", "1 when Redis answered this scrape, else 0."),
		batches: gauge("baler_queue_batches",
			"Batches in a queue: pending, active with a worker, or retrying after it sent them back.", "queue", "state"),
		files:  gauge("baler_queue_grouped_files", "Files that wait to be collected into batches.", "queue"),
		age:    gauge("baler_queue_oldest_seconds", "How long the oldest pending batch has waited; 0 when none waits.", "queue"),
		paused: gauge("baler_queue_paused", "1 while a queue is paused, else 0.", "queue"),
	}
}

// Describe implements prometheus.Collector.
func (c *queueCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.batches, c.files, c.age, c.paused} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Without an answer from Redis it reports
// only baler_redis_up.
func (c *queueCollector) Collect(out chan<- prometheus.Metric) {
	// Collect gets no context, so it needs a timeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	queues, err := c.queues(ctx)
	if c.watch.Done(context.Background(), err) != nil {
		send(c.up, 0)
		return
	}
	send(c.up, 1)
	for i := range queues {
		q := &queues[i]
		send(c.batches, float64(q.Pending), q.Name, "pending")
		send(c.batches, float64(q.Active), q.Name, "active")
		send(c.batches, float64(q.Retrying), q.Name, "retrying")
		send(c.files, float64(q.Grouped), q.Name)
		send(c.age, q.Age.Seconds(), q.Name)
		paused := 0.0
		if q.Paused {
			paused = 1
		}
		send(c.paused, paused, q.Name)
	}
}
