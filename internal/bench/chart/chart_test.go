package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/bench/chart"
)

func sample() chart.Chart {
	curve := func(scale float64) []chart.Point {
		var all []chart.Point
		for _, x := range []float64{1, 10, 50, 100, 500, 1000, 2000, 5000} {
			y := scale * 60000 * x / (x + 40)
			all = append(all, chart.Point{X: x, Y: y, Low: y * 0.9, High: y * 1.08, Best: x == 2000 && scale > 1})
		}
		return all
	}
	return chart.Chart{
		Title: "Records a second & batch size", Note: "200,000 records <each>; medians of 3 with slowest and fastest",
		X: chart.Axis{Label: "records in a batch", Log: true}, Y: chart.Axis{Label: "records/s", Log: true},
		Series: []chart.Series{{Name: "1 worker", Points: curve(1)}, {Name: "2 workers", Points: curve(1.2), Dashed: true}},
		Lines:  []chart.Line{{Name: "limit: 106,000/s", Y: 106000}},
	}
}

// texts parses a document and gives its texts.
func texts(t *testing.T, document string) (elements map[string]int, all string) {
	t.Helper()
	elements = make(map[string]int)
	var b strings.Builder
	for d := xml.NewDecoder(strings.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements, b.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		switch e := token.(type) {
		case xml.StartElement:
			elements[e.Name.Local]++
		case xml.CharData:
			b.Write(e)
			b.WriteByte('\n')
		}
	}
}

func TestSVGSaysWhatItShows(t *testing.T) {
	t.Parallel()
	c := sample()
	var b strings.Builder
	if err := chart.WriteSVG(&b, c, c); err != nil {
		t.Fatal(err)
	}
	elements, all := texts(t, b.String())
	for _, want := range []string{
		c.Title, c.Note, c.X.Label, c.Y.Label, "1 worker", "2 workers", "limit: 106,000/s", "\n5,000\n", "\n50,000\n", "\n1\n",
	} {
		if strings.Count(all, want) < 2 {
			t.Errorf("%q is not in both charts", want)
		}
	}
	if elements["svg"] != 1 || elements["script"]+elements["image"]+elements["link"] > 0 {
		t.Errorf("elements %v: want one svg, and nothing from elsewhere", elements)
	}
	if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
		t.Error("places that are no numbers")
	}
}

func TestChartShowsWhatItsAxesCan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*chart.Chart){
		"nothing":     func(c *chart.Chart) { c.Series, c.Lines = nil, nil },
		"only a line": func(c *chart.Chart) { c.Series = nil },
		"nothing above zero": func(c *chart.Chart) {
			c.Series = []chart.Series{{Name: "zero", Points: []chart.Point{{X: 1}, {X: 0, Y: 1}, {X: -1, Y: 2}}}}
		},
	} {
		c := sample()
		change(&c)
		var b strings.Builder
		if err := chart.WriteSVG(&b, c); err != nil {
			t.Fatal(err)
		}
		if _, all := texts(t, b.String()); !strings.Contains(all, "Nothing was measured.") {
			t.Errorf("%s: %s", name, all)
		}
	}
	c := sample()
	c.Series = c.Series[:1]
	c.Series[0].Points = []chart.Point{{X: 7, Y: math.Pi}}
	c.Lines = append(c.Lines, chart.Line{Name: "unknown limit", Y: 0})
	var b strings.Builder
	if err := chart.WriteSVG(&b, c); err != nil {
		t.Fatal(err)
	}
	if _, all := texts(t, b.String()); !strings.Contains(all, "\n7\n") || strings.Contains(all, "unknown limit") {
		t.Errorf("one point: %s", all)
	}
}

func TestNamedPlacesAndZero(t *testing.T) {
	t.Parallel()
	c := chart.Chart{
		Title: "t", X: chart.Axis{Names: []string{"by hand", "load"}}, Y: chart.Axis{Label: "records/s"},
		Series: []chart.Series{{Name: "s", Loose: true, Points: []chart.Point{{X: 0, Y: 90}, {X: 1, Y: 60}}}},
	}
	var b strings.Builder
	if err := chart.WriteSVG(&b, c); err != nil {
		t.Fatal(err)
	}
	_, all := texts(t, b.String())
	for _, want := range []string{"by hand", "load", "\n0\n"} {
		if !strings.Contains(all, want) {
			t.Errorf("lacks %q: %s", want, all)
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := chart.WriteHTML(&b, &chart.Page{
		Title: "Batch size & workers", Lead: "Lead <b>.", Says: []string{"The best is 2,000."},
		Facts: []chart.Fact{{"processor", "A <fast> one"}}, Charts: []chart.Chart{sample()},
		Tables: []chart.DataTable{{Title: "All", Columns: []chart.DataColumn{{Title: "WAY"}, {Title: "FILES/S", Right: true}}, Rows: [][]string{{"bulk", "1,000"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Batch size &amp; workers", "Lead &lt;b&gt;.", "The best is 2,000.", "A &lt;fast&gt; one", `<td class="n">1,000</td>`, `<svg `, "limit: 106,000/s",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "src=", "href=\"http", "@import", "url(", "ZgotmplZ", "<?xml"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("has %q", bad)
		}
	}
}
