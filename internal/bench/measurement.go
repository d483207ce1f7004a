package bench

import (
	"slices"
	"time"
)

// Variant names a way to process files that is measured.
type Variant string

// The variants of Pipeline.
const (
	BaselineInsert      Variant = "limit"       // multi-row INSERTs and nothing else; its workers are connections
	BaselineInsertShort Variant = "limit-short" // the same, leaving out columns that hold their default, as Baler does
	VariantPerFile      Variant = "per-file"    // one asynq task and one INSERT per file
	VariantAsynqGroup   Variant = "asynq-group" // asynq's aggregation into batches of 100, one group, one INSERT per batch
	VariantBulk         Variant = "bulk"        // Baler
	VariantGroup        Variant = "group"       // Baler
	VariantCPU          Variant = "cpu"         // Baler, with a handler that computes, on workers of one core each
)

// Measurement is one measurement. It is a line of the JSON output.
type Measurement struct {
	Type           string             `json:"type"` // always "measurement"
	Variant        Variant            `json:"variant"`
	Files          int                `json:"files"`
	Batch          int                `json:"batch"`
	Workers        int                `json:"workers"`
	FilesPerSecond float64            `json:"files_per_second"`
	Seconds        float64            `json:"seconds"`
	RatioToLimit   float64            `json:"ratio_to_limit,omitempty"` // to the best limit of the same repeat
	PeakRSS        map[string]int64   `json:"peak_rss_bytes"`           // of the largest process of a kind; Linux only
	CPUSeconds     map[string]float64 `json:"cpu_seconds"`              // of all processes of a kind; Linux only
	Stolen         float64            `json:"stolen_percent"`           // of the processors' time, by the host; Linux only
	Flush          *int               `json:"flush_log_at_trx_commit,omitempty"`
	Repeat         int                `json:"repeat"`
}

func measured(variant Variant, files, batch, workers int, took time.Duration, used usage) Measurement {
	m := Measurement{
		Type: "measurement", Variant: variant, Files: files, Batch: batch, Workers: workers, Seconds: took.Seconds(),
		PeakRSS: used.peak, CPUSeconds: used.cpu, Stolen: used.stolen,
	}
	if took > 0 {
		m.FilesPerSecond = float64(files) / took.Seconds()
	}
	return m
}

// MeasurementSummary summarizes the repeats of one measurement.
type MeasurementSummary struct {
	Measurement               // its numbers are medians, its memory is the peak
	Slowest, Fastest  float64 // files a second
	AgainstPerFile    float64 // times as fast; 0 when that was not measured
	AgainstAsynqGroup float64
	repeats           []Measurement
}

// StolenRounds has the percentage of stolen time of each repeat.
func (r *MeasurementSummary) StolenRounds() []float64 {
	percents := make([]float64, len(r.repeats))
	for i := range r.repeats {
		percents[i] = r.repeats[i].Stolen
	}
	return percents
}

// Results summarizes measurements, in the order of their first repeats.
func Results(all []Measurement) []MeasurementSummary {
	var rows []MeasurementSummary
	for _, m := range all {
		i := slices.IndexFunc(rows, func(r MeasurementSummary) bool { return r.like(m) })
		if i < 0 {
			i = len(rows)
			rows = append(rows, MeasurementSummary{Measurement: m})
		}
		rows[i].repeats = append(rows[i].repeats, m)
	}
	for i := range rows {
		rows[i].sum()
	}
	perFile, asynqGroup := rateOf(rows, VariantPerFile), rateOf(rows, VariantAsynqGroup)
	for i := range rows {
		if rows[i].Variant == VariantCPU {
			continue // another handler, other files
		}
		if perFile > 0 {
			rows[i].AgainstPerFile = rows[i].FilesPerSecond / perFile
		}
		if asynqGroup > 0 {
			rows[i].AgainstAsynqGroup = rows[i].FilesPerSecond / asynqGroup
		}
	}
	return rows
}

func (r *MeasurementSummary) like(m Measurement) bool {
	flush := func(m Measurement) int {
		if m.Flush == nil {
			return -1
		}
		return *m.Flush
	}
	return r.Variant == m.Variant && r.Batch == m.Batch && r.Workers == m.Workers && r.Files == m.Files && flush(r.Measurement) == flush(m)
}

func (r *MeasurementSummary) sum() {
	r.FilesPerSecond = medianOf(r.repeats, func(m Measurement) float64 { return m.FilesPerSecond })
	r.Seconds = medianOf(r.repeats, func(m Measurement) float64 { return m.Seconds })
	r.RatioToLimit = medianOf(r.repeats, func(m Measurement) float64 { return m.RatioToLimit })
	r.Slowest, r.Fastest = r.FilesPerSecond, r.FilesPerSecond
	for _, m := range r.repeats {
		r.Slowest, r.Fastest = min(r.Slowest, m.FilesPerSecond), max(r.Fastest, m.FilesPerSecond)
	}
	r.CPUSeconds, r.PeakRSS = used(r.repeats, func(m Measurement) usage { return usage{cpu: m.CPUSeconds, peak: m.PeakRSS} })
}

// used summarizes the resources of repeats: the median of processor time, the peak of
// memory.
func used[T any](repeats []T, of func(T) usage) (cpu map[string]float64, peak map[string]int64) {
	cpu, peak = make(map[string]float64), make(map[string]int64)
	for _, m := range repeats {
		u := of(m)
		for kind, bytes := range u.peak {
			peak[kind] = max(peak[kind], bytes)
		}
		for kind := range u.cpu {
			cpu[kind] = medianOf(repeats, func(m T) float64 { return of(m).cpu[kind] })
		}
	}
	return cpu, peak
}

// rateOf returns the rate of the only row of a variant; 0 when there is none.
func rateOf(rows []MeasurementSummary, variant Variant) float64 {
	for i := range rows {
		if rows[i].Variant == variant {
			return rows[i].FilesPerSecond
		}
	}
	return 0
}

func medianOf[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, v := range all {
		values[i] = of(v)
	}
	return median(values)
}
