package bench

import "github.com/balerhq/baler/internal/bench/chart"

// LatencyChart draws what Latency measured: the median and the 99th percentile
// of each way over the load. A load that was not kept up with has no point.
func LatencyChart(rows []LatencyRow) chart.Chart {
	repeats := 0
	for i := range rows {
		repeats = max(repeats, rows[i].Repeats)
	}
	c := chart.Chart{
		Title: "From when a file was due to its visible result", Note: spread(repeats),
		X: chart.Axis{Label: "% of the capacity, as offered", Log: true}, Y: chart.Axis{Label: "milliseconds", Log: true},
	}
	for _, way := range []Variant{VariantGroup, VariantBulk} {
		half, most := chart.Series{Name: string(way) + ", median"}, chart.Series{Name: string(way) + ", 99 %", Dashed: true}
		for i := range rows {
			r := &rows[i]
			if r.Variant != way || !r.KeptUp {
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
