package bench

// PageMeasurement is one measurement of Pages. It is a line of the JSON output.
type PageMeasurement struct {
	Type        string  `json:"type"` // always "measurement"
	Page        string  `json:"page"`
	API         bool    `json:"api"`
	Busy        bool    `json:"busy"`
	Files       int     `json:"files"`                           // of the transfer
	Requests    int     `json:"requests"`                        // after the first
	FirstMS     float64 `json:"first_ms"`                        // to the first byte of the first request of a server
	MedianMS    float64 `json:"p50_ms"`                          // of the requests after it
	P99MS       float64 `json:"p99_ms"`                          //
	MaxMS       float64 `json:"max_ms"`                          //
	Bytes       int     `json:"bytes"`                           // of the largest answer, as sent
	WithAssets  int     `json:"bytes_with_assets,omitempty"`     // with all that the page loads, for a first visitor
	BusyRate    float64 `json:"busy_files_per_second,omitempty"` // that the workers processed meanwhile
	Stolen      float64 `json:"stolen_percent"`                  // of the processors' time, by the host; Linux only
	LoadAverage float64 `json:"load_average"`                    // of the last minute, at the end; Linux only
}

// Targets of Pages.
const (
	// SlowFirstByte is from how many milliseconds on a page seems slow.
	SlowFirstByte = 200

	busyAPIms   = 100
	pageKBytes  = 200
	bytesPerKB  = 1000
	fewRequests = 100 // of which 99 % are all
)

// PagesTargets reports which targets the measurements meet. A percentile of few requests is none.
func PagesTargets(all []PageMeasurement) []Target {
	var targets []Target
	atMost := func(name string, want float64, of func(*PageMeasurement) float64) {
		var most float64
		for i := range all {
			most = max(most, of(&all[i]))
		}
		if most > 0 {
			targets = append(targets, Target{"target", name, want, most, most <= want})
		}
	}
	atMost("first byte of a page, first request, slowest, ms", SlowFirstByte, func(m *PageMeasurement) float64 { return m.FirstMS })
	atMost("first byte of a page, 99 %, slowest, ms", SlowFirstByte, func(m *PageMeasurement) float64 {
		if m.API || m.Requests < fewRequests {
			return 0
		}
		return m.P99MS
	})
	name := "first byte of the API, 99 %, slowest, ms"
	if len(all) > 0 && all[0].Busy {
		name = "first byte of the API while workers are saturated, 99 %, slowest, ms"
	}
	atMost(name, busyAPIms, func(m *PageMeasurement) float64 {
		if !m.API || m.Requests < fewRequests {
			return 0
		}
		return m.P99MS
	})
	atMost("heaviest page with its assets, kB", pageKBytes, func(m *PageMeasurement) float64 { return float64(m.WithAssets) / bytesPerKB })
	return targets
}
