package metrics

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificates is a metric of when the certificates of a process end. The zero value is ready for
// use, and has none. It is safe for concurrent use.
type Certificates struct {
	mu   sync.Mutex
	ends map[string]func() time.Time // by setting
}

// Watch adds the certificate that a setting names, such as http.tls.cert. Each scrape asks end when
// it ends. A nil Certificates ignores it.
func (c *Certificates) Watch(setting string, end func() time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = make(map[string]func() time.Time)
	}
	c.ends[setting] = end
}

// Describe implements prometheus.Collector.
func (c *Certificates) Describe(to chan<- *prometheus.Desc) { to <- certificateEnd() }

// Collect implements prometheus.Collector.
func (c *Certificates) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	ends := maps.Clone(c.ends)
	c.mu.Unlock()
	for setting, end := range ends {
		to <- prometheus.MustNewConstMetric(certificateEnd(), prometheus.GaugeValue, float64(end().Unix()), setting)
	}
}

func certificateEnd() *prometheus.Desc {
	return prometheus.NewDesc("baler_certificate_expiry_timestamp_seconds",
		"When a certificate that this process uses expires, as Unix time, by the setting that names it.", []string{"setting"}, nil)
}
