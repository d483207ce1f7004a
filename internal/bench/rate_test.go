package bench

import (
	"math"
	"testing"
	"time"
)

// samplesOf are some that were due evenly over so many seconds, and took so long each.
func samplesOf(n int, span float64, took func(at float64) float64) []sample {
	begin := time.Unix(1000, 0)
	all := make([]sample, n)
	for i := range all {
		at := span * float64(i) / float64(n)
		all[i].due = begin.Add(time.Duration(at * float64(time.Second)))
		all[i].seen = all[i].due.Add(time.Duration(took(at) * float64(time.Second)))
	}
	return all
}

func TestFallingTellsAGrowingDelayFromChance(t *testing.T) {
	t.Parallel()
	sawtooth := func(at float64) float64 { return 3 - math.Mod(at, 3) } // what a group collects
	for name, c := range map[string]struct {
		samples []sample
		want    float64
	}{
		"nothing to do":         {samplesOf(100, 10, func(float64) float64 { return 0.1 }), 0},
		"a group":               {samplesOf(1000, 10, sawtooth), 0},
		"twice of what it can":  {samplesOf(100, 10, func(at float64) float64 { return 0.1 + at }), 1},
		"a group, and too much": {samplesOf(900, 9, func(at float64) float64 { return sawtooth(at) + at/2 }), 0.5},
		"catches up":            {samplesOf(100, 10, func(at float64) float64 { return 5 - at/2 }), 0},
		"too few to tell":       {samplesOf(11, 10, func(at float64) float64 { return at }), 0},
		"no more than a moment": {samplesOf(100, 1, func(at float64) float64 { return at / 4 }), 0},
	} {
		if got := falling(c.samples); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%s: %v s a second, want %v", name, got, c.want)
		}
	}
	mixed := samplesOf(100, 10, func(at float64) float64 { return at })
	mixed[0], mixed[99] = mixed[99], mixed[0]
	if got := falling(mixed); math.Abs(got-1) > 0.05 {
		t.Errorf("in another order: %v, want 1", got)
	}
}

func TestNoLatencyWhenTheRateIsNotReached(t *testing.T) {
	t.Parallel()
	m := latency(samplesOf(200, 10, func(at float64) float64 { return at }), 20)
	if m.KeptUp || m.P50 != 0 || m.P99 != 0 || math.Abs(m.Finished-10) > 0.5 {
		t.Errorf("%+v", m)
	}
	m = latency(samplesOf(200, 10, func(at float64) float64 { return math.Mod(at, 0.5) + 0.05 }), 20)
	if !m.KeptUp || m.Finished != 20 || m.Min < 49 || m.P50 < 270 || m.P50 > 330 || m.P99 < m.P50 || m.Max < m.P99 || m.Max > 550 {
		t.Errorf("%+v", m)
	}
}

func TestSustainedRateCountsFromTheBeginToMostFiles(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	// Nothing for 2 s, then 180 of 200 within 7 s, and the rest very late.
	samples := samplesOf(200, 7/mostOf, func(at float64) float64 {
		if at >= 7 {
			return 60
		}
		return 2
	})
	if got := sustained(1000, begin, samples); math.Abs(got-100) > 1 {
		t.Errorf("%v a second, want 900 in 9 s", got)
	}
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a              arrivals
		files, watched int
		span           time.Duration
	}{
		"many":    {arriving(1000, 10), 10_000, 1001, 10 * time.Second}, // each tenth and the last
		"few":     {arriving(50, 10), 500, 500, 10 * time.Second},
		"hardly":  {arriving(0.01, 1), 1, 1, 100 * time.Second},
		"at once": {atOnce(1000, 200), 1000, 201, 0},
	} {
		watched := 0
		for i := range c.a.files {
			if c.a.watched(i) {
				watched++
			}
		}
		if c.a.files != c.files || watched != c.watched || c.a.span() != c.span {
			t.Errorf("%s: %d files in %s, %d watched; want %d in %s, %d watched", name, c.a.files, c.a.span(), watched, c.files, c.span, c.watched)
		}
	}
	a := arriving(4, 10)
	a.begin = time.Unix(1000, 0)
	if got := a.due(6).Sub(a.begin); got != 1500*time.Millisecond {
		t.Errorf("the 7th of 4 a second is due after %s, want 1.5s", got)
	}
}

func TestLatencyRowsSumUpTheRepeatsThatKeptUp(t *testing.T) {
	t.Parallel()
	of := func(variant Variant, load int, keptUp bool, p50 float64) Latency {
		return Latency{Variant: variant, Load: load, KeptUp: keptUp, P50: p50, P99: 2 * p50, Offered: 100, Finished: 100 - p50}
	}
	rows := LatencyRows([]Latency{
		of(VariantGroup, 1, true, 10), of(VariantBulk, 1, true, 5), of(VariantGroup, 90, false, 0),
		of(VariantGroup, 1, true, 30), of(VariantGroup, 1, false, 0), of(VariantGroup, 1, true, 12), of(VariantGroup, 90, false, 0),
	})
	if len(rows) != 3 || rows[0].Variant != VariantGroup || rows[1].Variant != VariantBulk || rows[2].Load != 90 {
		t.Fatalf("%+v", rows)
	}
	if r := rows[0]; r.P50 != 12 || r.P50s != (Percentiles{10, 30}) || r.P99s != (Percentiles{20, 60}) || r.Behind != 1 || r.Repeats != 4 || !r.KeptUp {
		t.Errorf("%+v", r)
	}
	if r := rows[2]; r.KeptUp || r.Behind != 2 || r.Repeats != 2 || r.Finished != 100 {
		t.Errorf("%+v", r)
	}
}
