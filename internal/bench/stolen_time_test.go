package bench

import (
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestStolenTime(t *testing.T) {
	t.Parallel()
	if got := (hostTime{all: 1200, stolen: 60}).stolenSince(hostTime{all: 200, stolen: 10}); got != 5 {
		t.Errorf("50 ticks of 1000 are %v %%, want 5", got)
	}
	if got := (hostTime{}).stolenSince(hostTime{}); got != 0 {
		t.Errorf("of no time %v %% was stolen", got)
	}
	for want, percents := range map[string][]float64{
		"": {0, 0.01}, "2.9 %": {2.9, 0.5}, "3.1 % !": {3.1}, "12.0 % ! in 2 of 3": {12, 0.1, 4},
	} {
		if got := Stolen(percents); got != want {
			t.Errorf("%v is shown as %q, want %q", percents, got, want)
		}
		if marked, explained := len(want) > 6, StolenNote(percents) != ""; marked != explained {
			t.Errorf("%v is shown as %q, explained: %v", percents, want, explained)
		}
	}
	if now := readHost(); now.all < now.stolen {
		t.Errorf("%+v", now)
	}
}

func TestEstimatesGrowWithWhatIsAsked(t *testing.T) {
	t.Parallel()
	both := []tasks.Via{tasks.ViaBulk, tasks.ViaGroup}
	latency := LatencyOptions{Via: both, Loads: []int{1, 50}, Seconds: 30, Files: 1000, Repeat: 2}
	if got := latency.Takes(); got < 4*time.Minute || got > 5*time.Minute {
		t.Errorf("two rounds of two ways at two loads of 30 s: %s", got)
	}
	latency.Delays = []time.Duration{time.Second, time.Minute}
	if got := latency.Takes(); got < 6*time.Minute || got > 7*time.Minute {
		t.Errorf("two rounds of one variant, and one with two delays, at two loads of 30 s: %s", got)
	}
	pipeline := PipelineOptions{Files: []int{200_000}, Via: both, Workers: []int{1, 2}, Batches: []int{1000}, Repeat: 3}
	if got := pipeline.Takes(); got < 4*time.Minute || got > 10*time.Minute {
		t.Errorf("pipeline: %s", got)
	}
	for name, o := range map[string]interface{ Takes() time.Duration }{
		"batch":    BatchOptions{Files: 1000, Batches: []int{1, 100}, Workers: []int{1}, Repeat: 1},
		"commit":   CommitOptions{Files: 500, Batch: 128, Repeat: 1},
		"makespan": MakespanOptions{Thumbnails: 10_000, Repeat: 1},
		"load":     LoadBenchOptions{Records: 500_000, Workers: []int{1}, Repeat: 1},
	} {
		if got := o.Takes(); got < 15*time.Second || got > 5*time.Minute {
			t.Errorf("%s: %s", name, got)
		}
	}
}
