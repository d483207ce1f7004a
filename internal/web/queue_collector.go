package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/tasks"
)

const (
	// maxTransfers is how many transfers a scrape reads: enough for all unfinished
	// ones of a busy site, and a limit on the cost of a scrape.
	maxTransfers = 500

	// scrapeTimeout is how long a scrape waits for the database.
	scrapeTimeout = 2 * time.Second
)

// queueCollector is a prometheus.Collector that reads the store at each scrape, so
// that all servers show the same numbers.
type queueCollector struct {
	store Transfers
	log   *slog.Logger

	up, transfers, registered, finished, waiting *prometheus.Desc
}

func newQueueCollector(store Transfers, log *slog.Logger) *queueCollector {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &queueCollector{
		store: store,
		log:   log,
		up:    gauge("baler_store_up", "1 when the database answered this scrape, else 0."),
		transfers: gauge("baler_transfers",
			"Transfers by state, among the 500 newest.", "state"),
		registered: gauge("baler_backlog_files_registered",
			"Files registered with unfinished transfers, among the 500 newest."),
		finished: gauge("baler_backlog_files_finished",
			"Files of unfinished transfers that have passed their last step."),
		waiting: gauge("baler_backlog_files",
			"Files of unfinished transfers that have not passed their last step; scale workers by it."),
	}
}

// Describe implements prometheus.Collector.
func (b *queueCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.up, b.transfers, b.registered, b.finished, b.waiting} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Without an answer from the database
// it reports only baler_store_up: a gap in a graph is better than a wrong zero.
func (b *queueCollector) Collect(out chan<- prometheus.Metric) {
	// Collect gets no context, so it needs a timeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	ts, err := b.store.Transfers(ctx, 0, maxTransfers)
	if err != nil {
		b.log.WarnContext(ctx, "metrics: the database did not answer", "error", err)
		out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 0)
		return
	}
	out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 1)
	load := measure(ts)
	for _, s := range states() {
		out <- prometheus.MustNewConstMetric(b.transfers, prometheus.GaugeValue, float64(load.transfers[s]), string(s))
	}
	out <- prometheus.MustNewConstMetric(b.registered, prometheus.GaugeValue, float64(load.registered))
	out <- prometheus.MustNewConstMetric(b.finished, prometheus.GaugeValue, float64(load.finished))
	out <- prometheus.MustNewConstMetric(b.waiting, prometheus.GaugeValue, float64(load.registered-load.finished))
}

// queueLoad sums up transfers: their states, and the files of unfinished ones.
type queueLoad struct {
	transfers            map[tasks.State]int
	registered, finished int64
}

func measure(ts []tasks.Transfer) queueLoad {
	l := queueLoad{transfers: make(map[tasks.State]int)}
	for i := range ts {
		t := &ts[i]
		l.transfers[t.State]++
		if t.State.Ended() {
			continue
		}
		l.registered += t.Files
		l.finished += t.Finished
	}
	return l
}

// states lists every state, so that no series disappears at zero.
func states() []tasks.State {
	return []tasks.State{
		tasks.StateOpen, tasks.StateRunning, tasks.StateFinalizing, tasks.StateCompleted, tasks.StateInterrupted, tasks.StateCanceled,
	}
}
