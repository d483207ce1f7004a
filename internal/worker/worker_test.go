package worker

import (
	"errors"
	"fmt"
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
	w := &Instance{desired: make(chan tasks.DesiredState, 1)}
	w.setDesired(tasks.WorkerPaused)
	w.setDesired(tasks.WorkerRunning)
	w.setDesired(tasks.WorkerDraining)
	if got := <-w.desired; got != tasks.WorkerDraining {
		t.Errorf("got %q", got)
	}
	select {
	case more := <-w.desired:
		t.Errorf("then %q", more)
	default:
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
