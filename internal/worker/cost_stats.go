package worker

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/store"
)

// LoadCosts reads the costs that all workers have observed into the model.
func LoadCosts(ctx context.Context, s *store.Store, model *cost.Model) error {
	all, err := s.Costs(ctx)
	if err != nil {
		return err
	}
	model.Merge(all)
	return nil
}

// shareCosts writes the costs that this process has observed, and reads those of others.
func shareCosts(ctx context.Context, o Options) error {
	changed := o.Costs.TakeChanged()
	if err := o.Store.SaveCosts(ctx, changed); err != nil {
		o.Costs.MarkChanged(changed)
		return err
	}
	return LoadCosts(ctx, o.Store, o.Costs)
}

// CostMetrics exports estimated costs as metrics. It is a prometheus.Collector.
type CostMetrics struct{ Model *cost.Model }

func perFile() *prometheus.Desc {
	return prometheus.NewDesc("baler_cost_seconds_per_file",
		"Learnt cost of a file, by handler and by digest of its arguments.", []string{"handler", "with"}, nil)
}

func perByte() *prometheus.Desc {
	return prometheus.NewDesc("baler_cost_seconds_per_byte",
		"Learnt cost of a byte, by handler and by digest of its arguments.", []string{"handler", "with"}, nil)
}

// Describe implements prometheus.Collector.
func (CostMetrics) Describe(all chan<- *prometheus.Desc) {
	all <- perFile()
	all <- perByte()
}

// Collect implements prometheus.Collector.
func (c CostMetrics) Collect(all chan<- prometheus.Metric) {
	c.Model.Each(func(k cost.Key, e cost.Estimate) {
		all <- prometheus.MustNewConstMetric(perFile(), prometheus.GaugeValue, e.PerFile, k.Handler, k.With)
		all <- prometheus.MustNewConstMetric(perByte(), prometheus.GaugeValue, e.PerByte, k.Handler, k.With)
	})
}
