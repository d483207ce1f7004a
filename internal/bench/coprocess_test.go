package bench_test

import (
	"os/exec"
	"testing"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/testkit"
)

func TestCoprocess(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	var all []bench.ScriptMeasurement
	testkit.Must(t, bench.Coprocess(t.Context(), bench.CoprocessOptions{Files: 10, Batch: 4}, func(m bench.ScriptMeasurement) error {
		all = append(all, m)
		return nil
	}))
	if len(all) != 2 || all[0].Variant != bench.VariantProcess || all[1].Variant != bench.VariantCoprocess || all[1].Files != 10 {
		t.Fatalf("got %+v", all)
	}
	if all[1].FilesPerSecond <= all[0].FilesPerSecond {
		t.Errorf("staying up saves nothing: %+v", all)
	}
}
