// Package metrics has the Prometheus metrics of a worker that several packages update.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// WorkerMetrics holds the metrics of a worker. A nil *Worker counts nothing.
type WorkerMetrics struct {
	results     *prometheus.CounterVec
	reused      *prometheus.CounterVec
	retries     *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	running     *prometheus.GaugeVec
	files       *prometheus.HistogramVec
	bytes       *prometheus.CounterVec
	flushes     *prometheus.CounterVec
	commits     prometheus.Histogram
	refused     *prometheus.CounterVec
	inFlight    *prometheus.GaugeVec
	fileRate    *prometheus.GaugeVec
	onHost      *prometheus.GaugeVec
	lines       *prometheus.CounterVec
	deadLetters prometheus.Counter
	stale       prometheus.Counter
	handed      prometheus.Counter
	isolated    prometheus.Counter
	unsigned    *prometheus.CounterVec
	enqueued    prometheus.Counter
	reclaimed   prometheus.Counter
}

// New registers the metrics of a worker.
func New(reg prometheus.Registerer) *WorkerMetrics {
	m := &WorkerMetrics{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_results_total", Help: "Final results handed to the recorder, by handler and outcome.",
		}, []string{"handler", "outcome"}),
		reused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_results_reused_total", Help: "Those of the results that were taken over from earlier transfers, by handler.",
		}, []string{"handler"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_retries_total", Help: "Failed attempts of files that will be retried, by handler.",
		}, []string{"handler"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "baler_batch_duration_seconds", Help: "How long handlers ran over a batch.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 12),
		}, []string{"handler"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "baler_batches_running", Help: "Batches that a handler is working on.",
		}, []string{"handler"}),
		files: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "baler_batch_files", Help: "How many files handlers were given at a time.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 15),
		}, []string{"handler"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_batch_bytes_total", Help: "Size of the files that handlers have worked on, attempts that failed included.",
		}, []string{"handler"}),
		flushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_recorder_flushes_total", Help: "Transactions of the recorder, by the reason that closed them.",
		}, []string{"reason"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "baler_recorder_commit_seconds", Help: "How long the recorder's transactions took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_batches_throttled_total", Help: "Batches sent back because a limit was reached, by the kind of limit.",
		}, []string{"bound"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "baler_limit_in_flight", Help: "This worker's share of the limits on batches in flight.",
		}, []string{"scope", "name"}),
		onHost: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "baler_limit_in_flight_host", Help: "This worker's share of the limits on batches in flight on its host.",
		}, []string{"scope", "name"}),
		fileRate: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "baler_limit_files_per_second", Help: "This worker's share of the limits on files a second.",
		}, []string{"scope", "name"}),
		lines: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_load_lines_total", Help: "Lines that load has read, by result.",
		}, []string{"result"}),
		deadLetters: counter("baler_dead_letters_total",
			"Messages that could not be read or did not agree with the ledger, and became dead letters."),
		unsigned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "baler_messages_refused_total",
			Help: "Messages that were dropped because redis.signing_keys is set and they are not signed with one of the keys, by reason.",
		}, []string{"reason"}),
		stale:    counter("baler_batches_stale_total", "Deliveries of batches that another worker had completed or claimed."),
		handed:   counter("baler_batches_handed_back_total", "Batches given back to the queue unfinished."),
		isolated: counter("baler_batches_split_total", "Batches split because a worker crashed with them."),
		enqueued: counter("baler_dispatcher_batches_enqueued_total",
			"Batches that the dispatcher found due and enqueued: later attempts, and batches that the queue did not have."),
		reclaimed: counter("baler_batches_reclaimed_total", "Batches taken from workers that died."),
	}
	reg.MustRegister(m.results, m.reused, m.retries, m.seconds, m.running, m.files, m.bytes, m.flushes, m.commits, m.refused, m.inFlight,
		m.fileRate, m.onHost, m.lines, m.deadLetters, m.unsigned, m.stale, m.handed, m.isolated, m.enqueued,
		m.reclaimed)
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// ObserveFlush counts one transaction of the recorder.
func (m *WorkerMetrics) ObserveFlush(reason batcher.Reason, _ int, took time.Duration) {
	if m == nil {
		return
	}
	m.flushes.WithLabelValues(string(reason)).Inc()
	m.commits.Observe(took.Seconds())
}

// BeginBatch counts a batch of files with bytes altogether as running. The function that
// it returns counts its end.
func (m *WorkerMetrics) BeginBatch(handler string, files int, bytes int64) func(took time.Duration) {
	if m == nil {
		return func(time.Duration) {}
	}
	m.running.WithLabelValues(handler).Inc()
	m.files.WithLabelValues(handler).Observe(float64(files))
	return func(took time.Duration) {
		m.running.WithLabelValues(handler).Dec()
		m.seconds.WithLabelValues(handler).Observe(took.Seconds())
		m.bytes.WithLabelValues(handler).Add(float64(bytes))
	}
}

// Recorded counts final results and failed attempts of a handler.
func (m *WorkerMetrics) Recorded(handler string, results []tasks.Result, retried int) {
	if m == nil {
		return
	}
	var n tasks.Counts
	reused := 0
	for i := range results {
		n.Add(results[i].Outcome, 1)
		if results[i].Reused != nil {
			reused++
		}
	}
	if reused > 0 {
		m.reused.WithLabelValues(handler).Add(float64(reused))
	}
	for _, o := range tasks.Outcomes() {
		if n.Get(o) > 0 {
			m.results.WithLabelValues(handler, string(o)).Add(float64(n.Get(o)))
		}
	}
	if retried > 0 {
		m.retries.WithLabelValues(handler).Add(float64(retried))
	}
}

// LinesLoaded counts one group of loaded lines.
func (m *WorkerMetrics) LinesLoaded(c tasks.LoadCounts) {
	if m == nil {
		return
	}
	for result, n := range map[string]int64{
		"loaded": c.Loaded, "skipped": c.Skipped, "duplicate": c.Duplicates, "bad": c.Bad, "unchanged": c.Unchanged,
	} {
		m.lines.WithLabelValues(result).Add(float64(n))
	}
}

// DeadLettered counts a message that could not be read.
func (m *WorkerMetrics) DeadLettered() {
	if m != nil {
		m.deadLetters.Inc()
	}
}

// CountRefusals exports the counters of refused messages as 0: an alert on an increase would miss
// the first message if its counter came with it.
func (m *WorkerMetrics) CountRefusals(reasons []string) {
	if m == nil {
		return
	}
	for _, reason := range reasons {
		m.unsigned.WithLabelValues(reason)
	}
}

// MessageRefused counts a message without a signature that is valid here.
func (m *WorkerMetrics) MessageRefused(reason string) {
	if m != nil {
		m.unsigned.WithLabelValues(reason).Inc()
	}
}

// BatchDropped counts the delivery of a batch that another worker has completed or
// claimed.
func (m *WorkerMetrics) BatchDropped() {
	if m != nil {
		m.stale.Inc()
	}
}

// BatchReleased counts a batch given back to the queue unfinished.
func (m *WorkerMetrics) BatchReleased() {
	if m != nil {
		m.handed.Inc()
	}
}

// BatchSplit counts a batch split because a worker crashed with it.
func (m *WorkerMetrics) BatchSplit() {
	if m != nil {
		m.isolated.Inc()
	}
}

// BatchesSent counts batches that the dispatcher enqueued because they were due and not in
// the queue, and those that it took from workers that had died.
func (m *WorkerMetrics) BatchesSent(due, reclaimed int) {
	if m != nil {
		m.enqueued.Add(float64(due))
		m.reclaimed.Add(float64(reclaimed))
	}
}

// Throttled counts a batch sent back because a limit was reached.
func (m *WorkerMetrics) Throttled(reason string) {
	if m != nil {
		m.refused.WithLabelValues(reason).Inc()
	}
}

// SetLimits shows this worker's shares of the limits.
func (m *WorkerMetrics) SetLimits(parts []ledger.LimitShare) {
	if m == nil {
		return
	}
	m.inFlight.Reset()
	m.fileRate.Reset()
	m.onHost.Reset()
	for i := range parts {
		p := &parts[i]
		switch {
		case p.OnHost:
			m.onHost.WithLabelValues(string(p.Scope), p.Name).Set(float64(p.Max))
		case p.InFlight > 0:
			m.inFlight.WithLabelValues(string(p.Scope), p.Name).Set(float64(p.Max))
		}
		if p.Rate > 0 {
			m.fileRate.WithLabelValues(string(p.Scope), p.Name).Set(p.Rate)
		}
	}
}
