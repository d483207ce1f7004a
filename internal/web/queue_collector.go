package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/tasks"
)

const (
	// backlogWindow is how many transfers a scrape looks at: enough for every
	// unfinished one of a busy site, and a bound on what a scrape costs.
	backlogWindow = 500

	// backlogWithin is how long a scrape waits for the database.
	backlogWithin = 2 * time.Second
)

// backlog is a prometheus.Collector that reads the store at each scrape, so that
// every server shows the same numbers, whichever does the work.
type backlog struct {
	store Transfers
	log   *slog.Logger

	up, transfers, registered, finished, waiting *prometheus.Desc
}

func newBacklog(store Transfers, log *slog.Logger) *backlog {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &backlog{
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
			"Files of unfinished transfers that have not passed their last step: what there is to scale by."),
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.up, b.transfers, b.registered, b.finished, b.waiting} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Without an answer from the database
// it says only that: a gap in a graph is better than a zero that is not true.
func (b *backlog) Collect(out chan<- prometheus.Metric) {
	// A collector is given no context; this bound stands in for the scraper's.
	ctx, cancel := context.WithTimeout(context.Background(), backlogWithin)
	defer cancel()
	ts, err := b.store.Transfers(ctx, 0, backlogWindow)
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

// queueLoad is what a set of transfers amounts to; files are those of unfinished ones.
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

// states lists every state, so that a series never disappears when it falls to zero.
func states() []tasks.State {
	return []tasks.State{tasks.StateOpen, tasks.StateRunning, tasks.StateFinalizing, tasks.StateCompleted, tasks.StateInterrupted, tasks.StateCanceled}
}
