package bench

import (
	"fmt"

	"github.com/balerhq/baler/internal/bench/chart"
)

// LoadChart draws the measurements of Load.
func LoadChart(rows []LoadRow) chart.Chart {
	c := chart.Chart{
		Title: "JSON lines into a table", Y: chart.Axis{Label: "records/s"},
		X: chart.Axis{Label: "variant; workers, for INSERTs connections"},
	}
	s := chart.Series{Name: "records/s", Loose: true}
	best, repeats := 0.0, 0
	for i := range rows {
		r := &rows[i]
		repeats = max(repeats, len(r.repeats))
		s.Points = append(s.Points, chart.Point{X: float64(i), Y: r.RecordsPerSecond, Low: r.Slowest, High: r.Fastest})
		c.X.Names = append(c.X.Names, fmt.Sprintf("%s %d", r.Variant, r.Workers))
		if r.Variant == InsertVariant {
			best = max(best, r.RecordsPerSecond)
		}
	}
	c.Series, c.Note = []chart.Series{s}, spread(repeats)
	if best > 0 {
		c.Lines = []chart.Line{{Name: fmt.Sprintf("target: %.1f of the best inserts", loadOfInserts), Y: loadOfInserts * best}}
	}
	return c
}
