package simulation

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A fleet of any size has work for all of its slots, and batches of dead workers run again
// within the time that docs/promises.md gives.
func TestFleets(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 30, 300} {
		const slots, perFile, ideal = 4, 10 * time.Millisecond, 30 * time.Second
		o := Options{
			Workers: workers, Slots: slots, Files: int64(workers * slots * int(ideal/perFile)), PerFile: perFile,
			RoundTrip: time.Millisecond, Kill: workers / 10, Seed: 1,
			Policy: tasks.BatchPolicy{MaxItems: 128}, Window: 64, Interval: 100 * time.Millisecond, Resend: 15 * time.Second,
		}
		r, err := Run(t.Context(), o)
		testkit.Must(t, err)
		if r.Ratio > 1.5 {
			t.Errorf("%d workers take %.2f times the ideal", workers, r.Ratio)
		}
		if o.Kill > 0 && (r.Lost == 0 || r.RecoverMax > 15 || r.NewLeader == 0 || r.NewLeader > 7) {
			t.Errorf("%d batches of %d dead workers ran again after %.1f s, another dispatcher led after %.1f s",
				r.Lost, o.Kill, r.RecoverMax, r.NewLeader)
		}
		t.Logf("%+v", r)
	}
}
