package watch

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what a watch does. A nil Metrics counts nothing.
type Metrics struct {
	submits, moves, problems prometheus.Counter
	settling, leading        prometheus.Gauge
}

// NewMetrics makes and registers the metrics of a process that watches one folder.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "baler", Subsystem: "watch", Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "baler", Subsystem: "watch", Name: name, Help: help})
		r.MustRegister(g)
		return g
	}
	return &Metrics{
		submits:  counter("submitted_total", "Entries of the watched folder that were submitted."),
		moves:    counter("moved_total", "Entries of the watched folder that were moved away after their transfers had ended."),
		problems: counter("problems_total", "Times that an entry could not be read, submitted or moved."),
		settling: gauge("waiting_entries", "Entries of the watched folder that are not submitted yet."),
		leading:  gauge("leads", "1 while this process acts for the watched folder, 0 while it stands by."),
	}
}

func (m *Metrics) submitted() {
	if m != nil {
		m.submits.Inc()
	}
}

func (m *Metrics) moved() {
	if m != nil {
		m.moves.Inc()
	}
}

func (m *Metrics) problem() {
	if m != nil {
		m.problems.Inc()
	}
}

func (m *Metrics) waiting(n int) {
	if m != nil {
		m.settling.Set(float64(n))
	}
}

func (m *Metrics) leads(held bool) {
	if m == nil {
		return
	}
	m.leading.Set(0)
	if held {
		m.leading.Set(1)
	}
}
