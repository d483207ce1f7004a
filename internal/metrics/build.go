package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// Build is a metric with the value 1 whose labels are the version of the program and of Go.
func Build(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "baler_build_info", Help: "1, labeled with the version of the program and the version of Go that built it.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}
