package bench

import (
	"slices"
	"time"
)

// Latency is the time of files at one load, from when they were due until their results
// were visible. It is a line of the JSON output. A system that does not keep up has no
// latency, because it grows as long as files come.
type Latency struct {
	Type     string  `json:"type"`  // always "measurement"
	Bench    string  `json:"bench"` // always "latency"
	Variant  Variant `json:"variant"`
	Delay    int64   `json:"group_max_delay_ms,omitempty"` // of files by group
	Load     int     `json:"load_percent"`                 // of the capacity
	Capacity float64 `json:"capacity_per_second"`          // files
	Offered  float64 `json:"offered_per_second"`           // files that came
	Finished float64 `json:"finished_per_second"`          // files; fewer than came when the system did not keep up
	KeptUp   bool    `json:"kept_up"`                      // whether the system kept up
	Files    int     `json:"files"`                        // number of files that came
	Samples  int     `json:"samples"`                      // number of them that were watched
	Min      float64 `json:"min_ms,omitempty"`             // min_ms to max_ms only when the system kept up
	P50      float64 `json:"p50_ms,omitempty"`             // half of the samples took no longer
	P99      float64 `json:"p99_ms,omitempty"`             // the longest of fewer than 100 samples
	Max      float64 `json:"max_ms,omitempty"`
	Stolen   float64 `json:"stolen_percent"` // of the processors' time, by the host; Linux only
	Repeat   int     `json:"repeat"`
}

// latency summarizes at least one sample of files that came at a rate.
func latency(samples []sample, rate float64) Latency {
	behind := falling(samples)
	m := Latency{
		Type: "measurement", Bench: "latency", Samples: len(samples),
		Offered: rate, Finished: rate / (1 + behind), KeptUp: behind == 0,
	}
	if !m.KeptUp {
		return m
	}
	ms := make([]float64, len(samples))
	for i := range samples {
		ms[i] = float64(samples[i].took()) / float64(time.Millisecond)
	}
	m.Min, m.P50, m.P99, m.Max = quantile(ms, 0), median(ms), quantile(ms, 0.99), quantile(ms, 1)
	return m
}

// LatencyRow summarizes the repeats of one variant at one load.
type LatencyRow struct {
	Latency             // its numbers are medians of the repeats that kept up, or of all if none did
	P50s    Percentiles // milliseconds
	P99s    Percentiles // milliseconds
	Behind  int         // repeats that did not keep up
	Repeats int
	Stolen  []float64 // percent, of each repeat
}

// Percentiles has the smallest and the largest value of some repeats.
type Percentiles struct{ Least, Most float64 }

// LatencyRows summarizes measurements, in the order of their first repeats.
func LatencyRows(all []Latency) []LatencyRow {
	var rows []LatencyRow
	for i := range all {
		m := &all[i]
		if slices.ContainsFunc(rows, func(r LatencyRow) bool { return r.like(m) }) {
			continue
		}
		r := LatencyRow{Latency: *m}
		var kept, behind []Latency
		for _, o := range all[i:] {
			if !r.like(&o) {
				continue
			}
			r.Stolen = append(r.Stolen, o.Stolen)
			if o.KeptUp {
				kept = append(kept, o)
			} else {
				behind = append(behind, o)
			}
		}
		r.sum(kept, behind)
		rows = append(rows, r)
	}
	return rows
}

func (r *LatencyRow) like(m *Latency) bool {
	return r.Variant == m.Variant && r.Load == m.Load && r.Delay == m.Delay
}

func (r *LatencyRow) sum(kept, behind []Latency) {
	r.Behind, r.Repeats, r.KeptUp = len(behind), len(kept)+len(behind), len(kept) > 0
	of := kept
	if !r.KeptUp {
		of = behind
	}
	middle := func(value func(Latency) float64) float64 { return medianOf(of, value) }
	r.Capacity = middle(func(m Latency) float64 { return m.Capacity })
	r.Offered = middle(func(m Latency) float64 { return m.Offered })
	r.Finished = middle(func(m Latency) float64 { return m.Finished })
	r.Min = middle(func(m Latency) float64 { return m.Min })
	r.P50, r.P50s = between(of, func(m Latency) float64 { return m.P50 })
	r.P99, r.P99s = between(of, func(m Latency) float64 { return m.P99 })
	r.Max = middle(func(m Latency) float64 { return m.Max })
}

// between returns the median and the range of at least one value.
func between[T any](all []T, of func(T) float64) (middle float64, s Percentiles) {
	values := make([]float64, len(all))
	for i, v := range all {
		values[i] = of(v)
	}
	return median(values), Percentiles{quantile(values, 0), quantile(values, 1)}
}

// LatencySettings has the settings that determine the latency at low load. It is a line of
// the JSON output.
type LatencySettings struct {
	Type        string `json:"type"`  // always "settings"
	Bench       string `json:"bench"` // always "latency"
	GroupGrace  int64  `json:"group_grace_ms"`
	GroupDelay  int64  `json:"group_max_delay_ms"`
	GroupSize   int    `json:"group_max_size"`
	Batch       int    `json:"batch_max_items"`
	Dispatch    int64  `json:"dispatch_interval_ms"`
	RecordDelay int64  `json:"record_max_delay_ms"`
}

// LatencySettings returns the settings of the environment.
func (p *Env) LatencySettings(o LatencyOptions) LatencySettings {
	c := &p.o.Config
	return LatencySettings{
		Type: "settings", Bench: "latency",
		GroupGrace: c.Group.Grace.Milliseconds(), GroupDelay: c.Group.MaxDelay.Milliseconds(), GroupSize: c.Group.MaxSize,
		Batch: o.Batch, Dispatch: c.Dispatch.Interval.Milliseconds(), RecordDelay: c.Record.MaxDelay.Milliseconds(),
	}
}
