package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/runner"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestOnlyTheLastDesiredStateCounts(t *testing.T) {
	w := &Instance{desired: make(chan pulse, 1)}
	for _, state := range []tasks.DesiredState{tasks.WorkerPaused, tasks.WorkerRunning, tasks.WorkerDraining} {
		w.setDesired(pulse{state: state})
	}
	if got := <-w.desired; got.state != tasks.WorkerDraining {
		t.Errorf("got %q", got.state)
	}
	select {
	case more := <-w.desired:
		t.Errorf("then %q", more.state)
	default:
	}
}

// A weight that a person has set takes precedence over the configuration, and only for queues
// that the worker serves.
func TestWeighQueues(t *testing.T) {
	b := &batches{configured: map[string]int{"high": 6, "low": 1}, Options: Options{Log: slog.New(slog.DiscardHandler)}}
	b.Queues = b.configured
	for _, c := range []struct{ set, want map[string]int }{
		{map[string]int{"low": 9, "other": 3}, map[string]int{"high": 6, "low": 9}},
		{map[string]int{"high": 2}, map[string]int{"high": 2, "low": 1}},
		{nil, map[string]int{"high": 6, "low": 1}},
	} {
		if b.Weigh(c.set); !maps.Equal(b.Queues, c.want) {
			t.Errorf("with %v the queues have the weights %v, want %v", c.set, b.Queues, c.want)
		}
	}
}

func TestRetryDelay(t *testing.T) {
	for name, tt := range map[string]struct {
		err         error
		least, most time.Duration
	}{
		"a lost lease":      {fmt.Errorf("x: %w", asynq.ErrLeaseExpired), 0, 0},
		"no slots":          {admission.ErrNoSlots, 50 * time.Millisecond, 250 * time.Millisecond},
		"a limit":           {&admission.ThrottledError{RetryAfter: 2 * time.Second}, 2050 * time.Millisecond, 2250 * time.Millisecond},
		"no handler":        {fmt.Errorf("batch 1: %w", &runner.NoHandlerError{RetryAfter: 7 * time.Second}), 7 * time.Second, 7 * time.Second},
		"anything else":     {errors.New("away"), time.Second, 3 * time.Second},
		"a limit, no delay": {&admission.ThrottledError{}, 50 * time.Millisecond, 250 * time.Millisecond},
	} {
		for range 100 {
			if got := retryDelay(0, tt.err, nil); got < tt.least || got > tt.most {
				t.Fatalf("%s: %s is not from %s to %s", name, got, tt.least, tt.most)
			}
		}
	}
}
