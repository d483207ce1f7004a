package bench

import (
	"slices"
	"time"
)

// The variants of filling a table with JSON lines.
const (
	LoadVariantCLI Variant = "load"         // Baler
	InsertVariant  Variant = "inserts"      // parsed from the same file by hand; its workers are connections
	BaselineLoad   Variant = "insert-limit" // nothing to parse; its workers are connections
)

// loadOfInserts is the design's target.
const loadOfInserts = 0.7

// The background of the target is a published account of a pipeline with
// Celery, SQLAlchemy, Redis and MySQL: so many records in so much time.
const (
	accountRecords = 5_275_521
	accountTime    = 43 * time.Minute
)

// LoadMeasurement is one measurement of Load. It is a line of the JSON output.
type LoadMeasurement struct {
	Type             string             `json:"type"`  // always "measurement"
	Bench            string             `json:"bench"` // always "load"
	Variant          Variant            `json:"variant"`
	Records          int                `json:"records"` // rows in the table
	Bytes            int64              `json:"bytes"`   // of the file
	Workers          int                `json:"workers"`
	RecordsPerSecond float64            `json:"records_per_second"`
	MBPerSecond      float64            `json:"mb_per_second"` // million bytes of the file, also for a variant that does not read it
	Seconds          float64            `json:"seconds"`
	RatioToInserts   float64            `json:"ratio_to_inserts,omitempty"` // to the best of the same repeat
	RatioToLimit     float64            `json:"ratio_to_limit,omitempty"`   // to the best insert-limit of the same repeat
	TimesAccount     float64            `json:"times_account"`              // as fast as 5,275,521 records in 43 minutes
	PeakRSS          map[string]int64   `json:"peak_rss_bytes"`             // of the largest process of a kind; Linux only
	CPUSeconds       map[string]float64 `json:"cpu_seconds"`                // of all processes of a kind; Linux only
	Repeat           int                `json:"repeat"`
}

func loading(variant Variant, records int, size int64, workers int, took time.Duration, used usage) LoadMeasurement {
	m := LoadMeasurement{
		Type: "measurement", Bench: "load", Variant: variant, Records: records, Bytes: size, Workers: workers, Seconds: took.Seconds(),
		PeakRSS: used.peak, CPUSeconds: used.cpu,
	}
	if took > 0 {
		m.RecordsPerSecond = float64(records) / took.Seconds()
		m.MBPerSecond = float64(size) / 1e6 / took.Seconds()
		m.TimesAccount = m.RecordsPerSecond / (accountRecords / accountTime.Seconds())
	}
	return m
}

// LoadRow summarizes the repeats of one measurement.
type LoadRow struct {
	LoadMeasurement          // its numbers are medians, its memory is the peak
	Slowest, Fastest float64 // records a second
	repeats          []LoadMeasurement
}

// LoadRows summarizes measurements, in the order of their first repeats.
func LoadRows(all []LoadMeasurement) []LoadRow {
	var rows []LoadRow
	for i := range all {
		m := &all[i]
		at := slices.IndexFunc(rows, func(r LoadRow) bool { return r.Variant == m.Variant && r.Workers == m.Workers })
		if at < 0 {
			at = len(rows)
			rows = append(rows, LoadRow{LoadMeasurement: *m})
		}
		rows[at].repeats = append(rows[at].repeats, *m)
	}
	for i := range rows {
		rows[i].sum()
	}
	return rows
}

func (r *LoadRow) sum() {
	middle := func(value func(LoadMeasurement) float64) float64 { return medianOf(r.repeats, value) }
	var s Percentiles
	r.RecordsPerSecond, s = between(r.repeats, func(m LoadMeasurement) float64 { return m.RecordsPerSecond })
	r.Slowest, r.Fastest = s.Least, s.Most
	r.MBPerSecond = middle(func(m LoadMeasurement) float64 { return m.MBPerSecond })
	r.Seconds = middle(func(m LoadMeasurement) float64 { return m.Seconds })
	r.RatioToInserts = middle(func(m LoadMeasurement) float64 { return m.RatioToInserts })
	r.RatioToLimit = middle(func(m LoadMeasurement) float64 { return m.RatioToLimit })
	r.TimesAccount = middle(func(m LoadMeasurement) float64 { return m.TimesAccount })
	r.CPUSeconds, r.PeakRSS = used(r.repeats, func(m LoadMeasurement) usage { return usage{cpu: m.CPUSeconds, peak: m.PeakRSS} })
}

// LoadTargets reports whether the best number of workers meets the design's target for
// loading.
func LoadTargets(rows []LoadRow) []Target {
	got := 0.0
	for i := range rows {
		if rows[i].Variant == LoadVariantCLI {
			got = max(got, rows[i].RatioToInserts)
		}
	}
	if got == 0 {
		return nil
	}
	return []Target{{"target", "load, of hand-written INSERTs", loadOfInserts, got, got >= loadOfInserts}}
}
