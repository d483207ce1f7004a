package runner

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestWorkerWithoutTheHandlerLeavesTheBatch(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: learn}]")
		batches := r.Files(150)
		var log bytes.Buffer
		now := time.Now()
		lacks := r.worker("lacks it", func(o *Options) {
			o.Log, o.Now = slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now }
		})
		for range 3 {
			for i := range batches {
				err := r.deliver(lacks, &batches[i])
				if e, ok := errors.AsType[*NoHandlerError](err); !ok || e.Handler != "learn" {
					t.Errorf("answered %v", err)
				}
			}
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("warned %d times within a minute:\n%s", n, log.String())
		}
		now = now.Add(time.Minute)
		_ = r.deliver(lacks, &batches[0])
		if n := strings.Count(log.String(), "level=WARN"); n != 2 {
			t.Errorf("warned %d times in more than a minute", n)
		}
		for _, b := range r.Open() {
			if b.Attempt != batches[0].Attempt || b.Crashes != 0 || b.FencingToken != 0 {
				t.Errorf("a batch that came back is %+v", b)
			}
		}
		r.handle("learn", r.learner())
		r.finish(r.worker("has it"))
		r.audit()
	})
}

func TestBatchWithoutHandlerWaitsLonger(t *testing.T) {
	for _, c := range []struct {
		name   string
		shared bool
		want   []time.Duration // at most; at least half
	}{
		{"no worker has it", false, milliseconds(250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000)},
		{"another has it", true, milliseconds(250, 500, 1000, 2000, 2000, 2000)},
	} {
		var r returns
		for i, most := range c.want {
			if got := r.add(7, c.shared); got < most/2 || got > most {
				t.Errorf("%s: return %d waits %s, want %s to %s", c.name, i+1, got, most/2, most)
			}
		}
		if got := r.add(8, c.shared); got > noHandlerFirst {
			t.Errorf("%s: another batch waits %s", c.name, got)
		}
		if got := r.add(7, !c.shared); got > noHandlerFirst {
			t.Errorf("%s: once that changed, it waits %s", c.name, got)
		}
	}
}

func TestReturnsAreBounded(t *testing.T) {
	var r returns
	for i := range int64(3 * noHandlerLimit) {
		r.add(i, false)
	}
	if n := len(r.counts); n > noHandlerLimit {
		t.Errorf("%d batches are counted", n)
	}
}

// A batch that no worker can run is delivered about 20 times in its first two minutes.
func TestReturnsOfABatchInTwoMinutes(t *testing.T) {
	var r returns
	n := 0
	for after := time.Duration(0); after < 2*time.Minute; n++ {
		after += r.add(1, false)
	}
	if n < 15 || n > 35 {
		t.Errorf("it came back %d times", n)
	}
}

func milliseconds(counts ...int64) []time.Duration {
	durations := make([]time.Duration, len(counts))
	for i, n := range counts {
		durations[i] = time.Duration(n) * time.Millisecond
	}
	return durations
}
