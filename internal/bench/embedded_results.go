package bench

// Targets of Embedded, from the design. A run with nothing changed may cost a part of what
// find costs, and so much for each file.
const (
	noopMicroseconds  = 45
	againTimesFind    = 1.5
	againMicroseconds = 5
	embeddedMiB       = 200
)

// SummarizeEmbedded returns the median of each way, in the order of the first round, with the
// peak of memory, and whether they meet the design's targets. The stolen time is that of each
// round.
func SummarizeEmbedded(all []EmbeddedMeasurement) (medians []EmbeddedMeasurement, stolen map[Variant][]float64, targets []Target) {
	stolen = make(map[Variant][]float64)
	rounds := make(map[Variant][]EmbeddedMeasurement)
	for _, m := range all {
		if rounds[m.Variant] == nil {
			medians = append(medians, m)
		}
		rounds[m.Variant] = append(rounds[m.Variant], m)
		stolen[m.Variant] = append(stolen[m.Variant], m.Stolen)
	}
	cost := make(map[Variant]float64)
	var peak int64
	for i := range medians {
		m := &medians[i]
		same := rounds[m.Variant]
		m.Seconds = medianOf(same, func(m EmbeddedMeasurement) float64 { return m.Seconds })
		m.CPUSeconds = medianOf(same, func(m EmbeddedMeasurement) float64 { return m.CPUSeconds })
		m.CPUPerFile = medianOf(same, func(m EmbeddedMeasurement) float64 { return m.CPUPerFile })
		for _, one := range same {
			m.PeakRSS = max(m.PeakRSS, one.PeakRSS)
		}
		cost[m.Variant] = m.CPUPerFile
		peak = max(peak, m.PeakRSS)
	}
	atMost := func(name string, want, got float64) {
		if got > 0 && want > 0 {
			targets = append(targets, Target{"target", name, want, got, got <= want})
		}
	}
	atMost("run noop, µs a file", noopMicroseconds, cost[VariantNoop])
	if find := cost[VariantFind]; find > 0 {
		atMost("run again, µs a file", againTimesFind*find+againMicroseconds, cost[VariantAgain])
	}
	atMost("memory of any run, MiB", embeddedMiB, float64(peak>>20))
	return medians, stolen, targets
}
