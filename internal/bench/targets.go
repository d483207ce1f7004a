package bench

import "fmt"

// Target is something that the design asks for, and what was measured. It is a
// line of the JSON output.
type Target struct {
	Type string  `json:"type"` // always "target"
	Name string  `json:"name"`
	Want float64 `json:"want"`
	Got  float64 `json:"got"`
	Met  bool    `json:"met"`
}

// The design's targets.
const (
	bulkOfLimit        = 0.75
	bulkTimesPerFile   = 25
	groupOfLimit       = 0.2
	groupTimesAsynq    = 150
	twoWorkersTimesOne = 1.6
	processMiB         = 512
	redisMiB           = 256
)

// Targets reports which targets the measurements cover, and which they meet. The figure of
// a variant is that of its best combination of workers and batch size.
func Targets(rows []MeasurementSummary) []Target {
	var targets []Target
	atLeast := func(name string, want, got float64) {
		if got > 0 {
			targets = append(targets, Target{"target", name, want, got, got >= want})
		}
	}
	below := func(name string, want, got float64) {
		if got > 0 {
			targets = append(targets, Target{"target", name, want, got, got < want})
		}
	}
	of := func(variant Variant, value func(*MeasurementSummary) float64) float64 {
		return best(rows, variant, value)
	}
	limit := func(r *MeasurementSummary) float64 { return r.RatioToLimit }
	atLeast("bulk, of the limit", bulkOfLimit, of(VariantBulk, limit))
	atLeast("bulk, times per-file", bulkTimesPerFile, of(VariantBulk, func(r *MeasurementSummary) float64 { return r.AgainstPerFile }))
	atLeast("group, of the limit", groupOfLimit, of(VariantGroup, limit))
	atLeast("group, times asynq-group", groupTimesAsynq, of(VariantGroup, func(r *MeasurementSummary) float64 { return r.AgainstAsynqGroup }))
	atLeast("two workers, times one, computing", twoWorkersTimesOne, speedUp(rows))
	for _, kind := range []string{"worker", "submit"} {
		below(fmt.Sprintf("peak memory of a %s process, MiB", kind), processMiB, peak(rows, kind))
	}
	below("peak memory of Redis, MiB", redisMiB, peak(rows, "redis"))
	return targets
}

func best(rows []MeasurementSummary, variant Variant, value func(*MeasurementSummary) float64) float64 {
	most := 0.0
	for i := range rows {
		if rows[i].Variant == variant {
			most = max(most, value(&rows[i]))
		}
	}
	return most
}

// speedUp is how much faster two workers compute than one.
func speedUp(rows []MeasurementSummary) float64 {
	of := func(workers int) float64 {
		return best(rows, VariantCPU, func(r *MeasurementSummary) float64 {
			if r.Workers != workers {
				return 0
			}
			return r.FilesPerSecond
		})
	}
	if of(1) == 0 {
		return 0
	}
	return of(2) / of(1)
}

func peak(rows []MeasurementSummary, kind string) float64 {
	var most int64
	for i := range rows {
		most = max(most, rows[i].PeakRSS[kind])
	}
	return float64(most) / (1 << 20)
}
