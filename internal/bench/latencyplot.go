package bench

import (
	"slices"
	"time"

	"github.com/balerhq/baler/internal/bench/chart"
)

// LatencyChart draws the median and the 99th percentile of each variant over the load. A
// load at which the system did not keep up has no point.
func LatencyChart(rows []LatencyRow) chart.Chart {
	repeats := 0
	for i := range rows {
		repeats = max(repeats, rows[i].Repeats)
	}
	c := chart.Chart{
		Title: "From when a file was due to its visible result", Note: spread(repeats),
		X: chart.Axis{Label: "% of the capacity, as offered", Log: true}, Y: chart.Axis{Label: "milliseconds", Log: true},
	}
	type line struct {
		variant Variant
		delay   int64
	}
	var lines []line
	for i := range rows {
		if l := (line{rows[i].Variant, rows[i].Delay}); !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	for _, l := range lines {
		name := string(l.variant)
		if l.delay > 0 {
			name += " within " + (time.Duration(l.delay) * time.Millisecond).String()
		}
		half, most := chart.Series{Name: name + ", median"}, chart.Series{Name: name + ", 99 %", Dashed: true}
		for i := range rows {
			r := &rows[i]
			if r.Variant != l.variant || r.Delay != l.delay || !r.KeptUp {
				continue
			}
			at := float64(r.Load)
			half.Points = append(half.Points, chart.Point{X: at, Y: r.P50, Low: r.P50s.Least, High: r.P50s.Most})
			most.Points = append(most.Points, chart.Point{X: at, Y: r.P99, Low: r.P99s.Least, High: r.P99s.Most})
		}
		if len(half.Points) > 0 {
			most.Like = len(c.Series) + 1
			c.Series = append(c.Series, half, most)
		}
	}
	return c
}
