package bench_test

import (
	"testing"

	"github.com/balerhq/baler/internal/bench"
)

func measurement(variant bench.Variant, workers int, rate, ofLimit float64) bench.Measurement {
	return bench.Measurement{
		Variant: variant, Files: 100, Batch: 10, Workers: workers, FilesPerSecond: rate, Seconds: 100 / rate, RatioToLimit: ofLimit,
		PeakRSS: map[string]int64{"worker": int64(rate)}, CPUSeconds: map[string]float64{"worker": rate / 10},
	}
}

func TestRowsSumUpTheRepeatsOfOneMeasurement(t *testing.T) {
	t.Parallel()
	flushed, not := 1, 0
	a, b := measurement(bench.VariantPerFile, 1, 5, 0), measurement(bench.VariantPerFile, 1, 50, 0)
	a.Flush, b.Flush = &flushed, &not
	rows := bench.Results([]bench.Measurement{
		measurement(bench.VariantBulk, 1, 100, 0.5), measurement(bench.VariantBulk, 2, 1000, 0.9),
		measurement(bench.VariantBulk, 1, 300, 0.7), measurement(bench.VariantBulk, 1, 140, 0.6), a, b,
		measurement(bench.VariantCPU, 1, 7, 0),
	})
	if len(rows) != 5 {
		t.Fatalf("%d rows of 5 kinds", len(rows))
	}
	if rows[4].AgainstPerFile != 0 {
		t.Errorf("what computes is compared with what does nothing: %+v", rows[4])
	}
	r := rows[0]
	if r.Workers != 1 || r.FilesPerSecond != 140 || r.Slowest != 100 || r.Fastest != 300 || r.RatioToLimit != 0.6 {
		t.Errorf("got %+v", r)
	}
	if r.PeakRSS["worker"] != 300 || r.CPUSeconds["worker"] != 14 {
		t.Errorf("peak %v, want the highest; CPU %v, want the median", r.PeakRSS, r.CPUSeconds)
	}
	if r.AgainstPerFile != 28 || r.AgainstAsynqGroup != 0 {
		t.Errorf("%v times per-file, want 28; %v times what was not measured", r.AgainstPerFile, r.AgainstAsynqGroup)
	}
}

func TestTargetsCompareTheBestOfAVariant(t *testing.T) {
	t.Parallel()
	rows := bench.Results([]bench.Measurement{
		measurement(bench.VariantPerFile, 1, 10, 0.01), measurement(bench.VariantAsynqGroup, 1, 1, 0.001),
		measurement(bench.VariantBulk, 1, 249, 0.74), measurement(bench.VariantBulk, 2, 200, 0.75),
		measurement(bench.VariantGroup, 1, 149, 0.19),
		measurement(bench.VariantCPU, 1, 10, 0), measurement(bench.VariantCPU, 2, 16, 0),
	})
	want := map[string]bool{
		"bulk, of the limit": true, "bulk, times per-file": false, "group, of the limit": false, "group, times asynq-group": false,
		"two workers, times one, computing": true, "peak memory of a worker process, MiB": true,
	}
	got := make(map[string]bool)
	for _, target := range bench.Targets(rows) {
		got[target.Name] = target.Met
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want those covered: %v", got, want)
	}
	for name, met := range want {
		if got[name] != met {
			t.Errorf("%s: met %v, want %v", name, got[name], met)
		}
	}
	heavy := measurement(bench.VariantBulk, 1, 1, 1)
	heavy.PeakRSS = map[string]int64{"submit": 512 << 20}
	for _, target := range bench.Targets(bench.Results([]bench.Measurement{heavy})) {
		if target.Name == "peak memory of a submit process, MiB" && target.Met {
			t.Error("512 MiB are not under 512 MiB")
		}
	}
}
