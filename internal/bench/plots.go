package bench

import (
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/bench/chart"
)

const filesPerSecond = "files/s"

// spread is said below every chart of medians.
func spread(repeat int) string {
	if repeat < 2 {
		return "one round"
	}
	return fmt.Sprintf("medians of %d rounds, with slowest and fastest", repeat)
}

func rounds(rows []MeasurementSummary) int {
	most := 0
	for i := range rows {
		most = max(most, len(rows[i].repeats))
	}
	return most
}

// rate is a row's place in a chart.
func (r *MeasurementSummary) rate(x float64) chart.Point {
	return chart.Point{X: x, Y: r.FilesPerSecond, Low: r.Slowest, High: r.Fastest}
}

// limitLine is the best limit of a size, 0 for the only one, as a line.
func limitLine(rows []MeasurementSummary, files int) []chart.Line {
	best := 0.0
	for i := range rows {
		if r := &rows[i]; r.Variant == BaselineInsert && (files == 0 || r.Files == files) {
			best = max(best, r.FilesPerSecond)
		}
	}
	if best == 0 {
		return nil
	}
	return []chart.Line{{Name: fmt.Sprintf("limit: %s/s", commas(best)), Y: best}}
}

func commas(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// curves sorts rows into one series for each name, by x.
func curves(
	rows []MeasurementSummary, keep func(*MeasurementSummary) bool, name func(*MeasurementSummary) string,
	point func(*MeasurementSummary) chart.Point,
) []chart.Series {
	var all []chart.Series
	for i := range rows {
		r := &rows[i]
		if !keep(r) {
			continue
		}
		at := slices.IndexFunc(all, func(s chart.Series) bool { return s.Name == name(r) })
		if at < 0 {
			at = len(all)
			all = append(all, chart.Series{Name: name(r)})
		}
		all[at].Points = append(all[at].Points, point(r))
	}
	for i := range all {
		slices.SortFunc(all[i].Points, func(a, b chart.Point) int { return int(a.X - b.X) })
	}
	return all
}

func workersOf(r *MeasurementSummary) string {
	if r.Workers == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", r.Workers)
}

// BatchCharts draw what Batch measured: the rate over the batch size, and whose
// processor time the machine spends on it.
func BatchCharts(rows []MeasurementSummary, cores int) []chart.Chart {
	ours := func(r *MeasurementSummary) bool { return r.Variant == VariantBulk }
	x := chart.Axis{Label: "files in a batch", Log: true}
	all := []chart.Chart{{
		Title: "Files a second over the batch size", Note: spread(rounds(rows)), X: x, Y: chart.Axis{Label: filesPerSecond, Log: true},
		Series: curves(rows, ours, workersOf, func(r *MeasurementSummary) chart.Point {
			p := r.rate(float64(r.Batch))
			_, best := KneePoint(rows, r.Workers, 1)
			p.Best = best.Batch == r.Batch
			return p
		}),
		Lines: limitLine(rows, 0),
	}}
	for _, workers := range workerNumbers(rows) {
		c := chart.Chart{
			Title: "Where the processors' time goes, " + workersOf(&MeasurementSummary{Measurement: Measurement{Workers: workers}}),
			Note:  fmt.Sprintf("share of the %d processors that each kind of process kept busy", cores),
			X:     x, Y: chart.Axis{Label: "% of the machine"},
		}
		for _, kind := range ProcessKinds() {
			s := curves(rows, func(r *MeasurementSummary) bool { return ours(r) && r.Workers == workers && r.CPUSeconds[kind] > 0 },
				func(*MeasurementSummary) string { return kind },
				func(r *MeasurementSummary) chart.Point {
					return chart.Point{X: float64(r.Batch), Y: 100 * r.Share(kind, cores)}
				})
			c.Series = append(c.Series, s...)
		}
		all = append(all, c)
	}
	return all
}

// Share is the part of a machine of some processors that a kind of process kept
// busy; 0 where that is not known.
func (r *MeasurementSummary) Share(kind string, cores int) float64 {
	if r.Seconds == 0 {
		return 0
	}
	return r.CPUSeconds[kind] / r.Seconds / float64(cores)
}

// ProcessKinds are the kinds of processes in the order in which they are shown.
func ProcessKinds() []string { return []string{"worker", "submit", "bench", "redis", "mariadb"} }

func workerNumbers(rows []MeasurementSummary) []int {
	var all []int
	for i := range rows {
		if rows[i].Variant == VariantBulk && !slices.Contains(all, rows[i].Workers) {
			all = append(all, rows[i].Workers)
		}
	}
	return all
}

// PipelineCharts draw what Pipeline measured: all ways beside each other at the
// last size, and, over several sizes, what a file costs.
func PipelineCharts(rows []MeasurementSummary, files int) []chart.Chart {
	ways := chart.Chart{
		Title: "Files a second, from before the scan to the last result",
		Note:  fmt.Sprintf("%s files for the limit and Baler; %s", commas(float64(files)), spread(rounds(rows))),
		Y:     chart.Axis{Label: filesPerSecond, Log: true},
		Lines: limitLine(rows, files),
	}
	points := chart.Series{Name: filesPerSecond, Loose: true}
	for i := range rows {
		r := &rows[i]
		baseline := r.Variant == VariantPerFile || r.Variant == VariantAsynqGroup
		if r.Variant == VariantCPU || r.Variant == BaselineInsert || r.Variant == BaselineInsertShort || !baseline && r.Files != files {
			continue
		}
		name := string(r.Variant)
		if !baseline {
			name = fmt.Sprintf("%s %d×%d", r.Variant, r.Workers, r.Batch)
		}
		points.Points = append(points.Points, r.rate(float64(len(ways.X.Names))))
		ways.X.Names = append(ways.X.Names, name)
	}
	ways.X.Label = "variant; for Baler workers × files in a batch"
	ways.Series = []chart.Series{points}
	all := []chart.Chart{ways}
	if growth := growthChart(rows); growth != nil {
		all = append(all, *growth)
	}
	return all
}

// growthChart is nil when only one size was measured.
func growthChart(rows []MeasurementSummary) *chart.Chart {
	sizes := make(map[int]bool)
	for i := range rows {
		if rows[i].Variant == VariantBulk || rows[i].Variant == VariantGroup {
			sizes[rows[i].Files] = true
		}
	}
	if len(sizes) < 2 {
		return nil
	}
	return &chart.Chart{
		Title: "What a file costs as transfers grow", Note: spread(rounds(rows)),
		X: chart.Axis{Label: "files in the transfer", Log: true}, Y: chart.Axis{Label: "microseconds a file"},
		Series: curves(rows, func(r *MeasurementSummary) bool {
			return r.Variant == VariantBulk || r.Variant == VariantGroup || r.Variant == BaselineInsert
		},
			func(r *MeasurementSummary) string {
				if r.Variant == BaselineInsert && r.Workers == 1 {
					return "limit, 1 connection"
				}
				if r.Variant == BaselineInsert {
					return fmt.Sprintf("limit, %d connections", r.Workers)
				}
				return fmt.Sprintf("%s, %s, batches of %d", r.Variant, workersOf(r), r.Batch)
			},
			func(r *MeasurementSummary) chart.Point {
				return chart.Point{X: float64(r.Files), Y: 1e6 / r.FilesPerSecond, Low: 1e6 / r.Fastest, High: 1e6 / r.Slowest}
			}),
	}
}

// CommitChart draws what Commit measured.
func CommitChart(rows []MeasurementSummary) chart.Chart {
	c := chart.Chart{
		Title: "A few files one by one and in batches", Note: spread(rounds(rows)),
		Y: chart.Axis{Label: filesPerSecond}, X: chart.Axis{Label: "variant, and whether every commit waits for the disk"},
	}
	s := chart.Series{Name: filesPerSecond, Loose: true}
	for i := range rows {
		flushed := "flushed"
		if rows[i].Flush != nil && *rows[i].Flush == 0 {
			flushed = "not flushed"
		}
		s.Points = append(s.Points, rows[i].rate(float64(i)))
		c.X.Names = append(c.X.Names, fmt.Sprintf("%s, %s", rows[i].Variant, flushed))
	}
	c.Series = []chart.Series{s}
	return c
}

// MakespanChart draws what Makespan measured.
func MakespanChart(all []Makespan) chart.Chart {
	medians, _ := SummarizeMakespans(all)
	c := chart.Chart{
		Title: "How evenly workers share the work", Note: "time from the submission to the end, against the best that the workers could do",
		Y: chart.Axis{Label: "times the ideal"}, X: chart.Axis{Label: "work"},
		Lines: []chart.Line{{Name: "ideal", Y: 1}, {Name: fmt.Sprintf("target: %.2f", makespanOfIdeal), Y: makespanOfIdeal}},
	}
	s := chart.Series{Name: "median, slowest, fastest", Loose: true}
	for i, m := range medians {
		p := chart.Point{X: float64(i), Y: m.Ratio, Low: m.Ratio, High: m.Ratio}
		for _, one := range all {
			if one.Work == m.Work {
				p.Low, p.High = min(p.Low, one.Ratio), max(p.High, one.Ratio)
			}
		}
		s.Points = append(s.Points, p)
		c.X.Names = append(c.X.Names, m.Work)
	}
	c.Series = []chart.Series{s}
	return c
}
