package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

// scrapeTimeout is how long a scrape waits for the database.
const scrapeTimeout = 2 * time.Second

// backlogCollector is a prometheus.Collector that reads the store at each scrape, so
// that all servers show the same numbers.
type backlogCollector struct {
	store totalsReader
	watch *outage.Watch

	up, transfers, registered, finished, waiting, standing *prometheus.Desc
}

// totalsReader is the part of Transfers that a scrape reads.
type totalsReader interface {
	Totals(ctx context.Context) (ledger.Totals, error)
	Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error)
}

func newBacklogCollector(store totalsReader, log *slog.Logger) *backlogCollector {
	return &backlogCollector{
		store: store,
		watch: outage.New(log, outage.Database, "read metrics"),
		up:    gauge("baler_store_up", "1 when the database answered this scrape, else 0."),
		transfers: gauge("baler_transfers",
			"Transfers by state.", "state"),
		registered: gauge("baler_backlog_files_registered",
			"Files registered with unfinished transfers."),
		finished: gauge("baler_backlog_files_finished",
			"Files of unfinished transfers that have passed their last step."),
		waiting: gauge("baler_backlog_files",
			"Files of unfinished transfers that have not passed their last step; scale workers by it."),
		standing: gauge("baler_transfers_waiting",
			"Unfinished transfers that stand still, by what they wait for.", "reason"),
	}
}

// Describe implements prometheus.Collector.
func (b *backlogCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.up, b.transfers, b.registered, b.finished, b.waiting, b.standing} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Without an answer from the database
// it reports only baler_store_up: a gap in a graph is better than a wrong zero.
func (b *backlogCollector) Collect(out chan<- prometheus.Metric) {
	// Collect gets no context, so it needs a timeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	load, err := b.store.Totals(ctx)
	var standing map[ledger.WaitReason]int64
	if err == nil {
		standing, err = b.store.Waiting(ctx)
	}
	if b.watch.Done(context.Background(), err) != nil {
		out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 0)
		return
	}
	out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, 1)
	for _, s := range states() {
		out <- prometheus.MustNewConstMetric(b.transfers, prometheus.GaugeValue, float64(load.Transfers[s]), string(s))
	}
	for _, why := range ledger.WaitReasons() {
		out <- prometheus.MustNewConstMetric(b.standing, prometheus.GaugeValue, float64(standing[why]), string(why))
	}
	out <- prometheus.MustNewConstMetric(b.registered, prometheus.GaugeValue, float64(load.Registered))
	out <- prometheus.MustNewConstMetric(b.finished, prometheus.GaugeValue, float64(load.Finished))
	out <- prometheus.MustNewConstMetric(b.waiting, prometheus.GaugeValue, float64(load.Registered-load.Finished))
}

// states lists every state, so that no series disappears at zero.
func states() []tasks.State {
	return []tasks.State{
		tasks.StateOpen, tasks.StateRunning, tasks.StateFinalizing, tasks.StateCompleted, tasks.StateInterrupted, tasks.StateCanceled,
	}
}
