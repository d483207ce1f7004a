package bench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestSummarizeEmbedded(t *testing.T) {
	var all []EmbeddedMeasurement
	for i, cost := range []float64{50, 40, 44} {
		all = append(
			all, EmbeddedMeasurement{Variant: VariantFind, CPUPerFile: 2, PeakRSS: 1 << 20},
			EmbeddedMeasurement{Variant: VariantNoop, CPUPerFile: cost, Seconds: cost, PeakRSS: int64(100+i) << 20, Stolen: float64(i)},
			EmbeddedMeasurement{Variant: VariantAgain, CPUPerFile: 8.5},
		)
	}
	medians, stolen, targets := SummarizeEmbedded(all)
	if len(medians) != 3 || medians[1].CPUPerFile != 44 || medians[1].Seconds != 44 || medians[1].PeakRSS != 102<<20 {
		t.Errorf("medians %+v", medians)
	}
	if !slices.Equal(stolen[VariantNoop], []float64{0, 1, 2}) {
		t.Errorf("stolen %v", stolen)
	}
	want := []Target{
		{"target", "run noop, µs a file", 45, 44, true}, {"target", "run again, µs a file", 8, 8.5, false},
		{"target", "memory of any run, MiB", 200, 102, true},
	}
	if !slices.Equal(targets, want) {
		t.Errorf("targets %+v", targets)
	}
}

func TestReportOfRunThatLostFiles(t *testing.T) {
	for name, c := range map[string]struct {
		way embeddedWay
		out string
	}{
		"no report":      {embeddedWay{variant: VariantNoop}, "Killed"},
		"no files":       {embeddedWay{variant: VariantHash}, `{"files":0}`},
		"unfinished":     {embeddedWay{variant: VariantNoop}, `{"files":3,"finished":2}`},
		"failed":         {embeddedWay{variant: VariantNoop}, `{"files":3,"finished":3,"results":{"error":1}}`},
		"something new":  {embeddedWay{variant: VariantAgain, files: 3}, `{"files":3,"finished":3,"changes":{"unchanged":2}}`},
		"run unfinished": {embeddedWay{variant: VariantRun}, `{"files":3,"finished":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.way.handled([]byte(c.out)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestHashTree(t *testing.T) {
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "a", "b/c", "b/d")
	testkit.Must(t, os.Symlink("a", filepath.Join(dir, "link")))
	if files, err := HashTree(t.Context(), dir); files != 3 || err != nil {
		t.Errorf("%d files, %v", files, err)
	}
	if _, err := HashTree(t.Context(), filepath.Join(dir, "none")); err == nil {
		t.Error("no error about a folder that is not there")
	}
}
