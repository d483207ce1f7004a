package baler

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/batcher"
)

// loadCosts reads what other workers have learnt of costs.
func (b *Baler) loadCosts(ctx context.Context) error {
	all, err := b.store.Costs(ctx)
	if err != nil {
		return err
	}
	b.sizer.Merge(all)
	return nil
}

// shareCosts tells others what this process has learnt, and hears what they have.
func (b *Baler) shareCosts(ctx context.Context) error {
	changes := b.sizer.TakeChanged()
	if err := b.store.SaveCosts(ctx, changes); err != nil {
		b.sizer.MarkChanged(changes)
		return err
	}
	return b.loadCosts(ctx)
}

// costs shows as metrics what is known of costs.
type costs struct{ sizer *batcher.CostModel }

func perFile() *prometheus.Desc {
	return prometheus.NewDesc("baler_cost_seconds_per_file",
		"Learnt cost of a file, by handler and by digest of its arguments.", []string{"handler", "with"}, nil)
}

func perByte() *prometheus.Desc {
	return prometheus.NewDesc("baler_cost_seconds_per_byte",
		"Learnt cost of a byte, by handler and by digest of its arguments.", []string{"handler", "with"}, nil)
}

// Describe implements prometheus.Collector.
func (costs) Describe(all chan<- *prometheus.Desc) {
	all <- perFile()
	all <- perByte()
}

// Collect implements prometheus.Collector.
func (c costs) Collect(all chan<- prometheus.Metric) {
	c.sizer.Each(func(k batcher.CostKey, e batcher.Estimate) {
		all <- prometheus.MustNewConstMetric(perFile(), prometheus.GaugeValue, e.PerFile, k.Handler, k.With)
		all <- prometheus.MustNewConstMetric(perByte(), prometheus.GaugeValue, e.PerByte, k.Handler, k.With)
	})
}
