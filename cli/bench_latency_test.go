package cli

import (
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/bench"
)

func TestBenchLatency(t *testing.T) {
	t.Parallel()
	s := newBenchEnv(t)
	s.env = append(s.env, "BALER_GROUP_MAX_DELAY=1s")
	page := filepath.Join(t.TempDir(), "page.html")
	type line struct {
		bench.Latency
		GroupDelay int `json:"group_max_delay_ms"`
	}
	all := benchLines[line](s, "latency", "--load", "1,50", "--seconds", "1", "--files", "400", "--batch", "50", "--repeat", "1",
		"--html", page)
	contains(t, "the page", content(t, page), "<svg ", "group within 1s, median", "<td class=\"n\">1s<")
	if len(all) != 5 {
		t.Fatalf("%d lines, want 5: %+v", len(all), all)
	}
	if all[0].Type != "settings" || all[0].GroupDelay != 1000 {
		t.Errorf("not the settings: %+v", all[0])
	}
	for i, l := range all[1:] {
		way, load := []bench.Variant{bench.VariantGroup, bench.VariantGroup, bench.VariantBulk, bench.VariantBulk}[i], []int{1, 50}[i%2]
		if l.Type != "measurement" || l.Bench != "latency" || l.Variant != way || l.Load != load || l.Repeat != 1 {
			t.Errorf("line %d: %+v", i, l)
		}
		if share := l.Offered / l.Capacity * 100; share < float64(load)-0.01 || share > float64(load)+0.01 {
			t.Errorf("%v %% of the capacity came: %+v", share, l)
		}
		if l.Samples < 1 || l.Samples > l.Files || l.Files < int(l.Offered) {
			t.Errorf("%+v", l)
		}
		if l.KeptUp != (l.P50 > 0) || l.P50 < l.Min || l.P99 < l.P50 || l.Max < l.P99 || l.KeptUp != (l.Finished == l.Offered) {
			t.Errorf("%+v", l)
		}
	}
}
