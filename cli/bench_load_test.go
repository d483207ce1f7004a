package cli

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/bench"
)

func TestBenchLoad(t *testing.T) {
	t.Parallel()
	type line struct {
		bench.LoadMeasurement
		Name string
		Got  float64
	}
	page := filepath.Join(t.TempDir(), "page.html")
	all := benchLines[line](newBenchEnv(t), "load", "--records", "2500", "--workers", "1", "--repeat", "1", "--html", page)
	contains(t, "the page", content(t, page), "<svg ", "43 MINUTES", "load, of hand-written INSERTs")
	var ways []bench.Variant
	for _, l := range all[:len(all)-1] {
		if l.Type != "measurement" || l.Bench != "load" || l.Records != 2500 || l.Repeat != 1 || l.Seconds <= 0 || l.RecordsPerSecond <= 0 ||
			l.Bytes < 2500*300 || l.Bytes > 2500*700 || l.MBPerSecond <= 0 || l.TimesAccount <= 0 {
			t.Errorf("%+v", l.LoadMeasurement)
		}
		if (l.RatioToInserts > 0) != (l.Variant == bench.LoadVariantCLI) || (l.RatioToLimit > 0) != (l.Variant != bench.BaselineLoad) {
			t.Errorf("compared with the wrong things: %+v", l.LoadMeasurement)
		}
		ways = append(ways, l.Variant)
	}
	want := []bench.Variant{
		bench.BaselineLoad, bench.BaselineLoad, bench.BaselineLoad, bench.InsertVariant, bench.InsertVariant, bench.InsertVariant, bench.LoadVariantCLI,
	}
	if !slices.Equal(ways, want) {
		t.Errorf("measured %v, want %v", ways, want)
	}
	if last := all[len(all)-1]; last.Type != "target" || last.Name != "load, of hand-written INSERTs" || last.Got <= 0 {
		t.Errorf("the last line is %+v", last)
	}
}
