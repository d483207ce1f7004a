package store

import (
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// told lists the types of the messages about a transfer.
func (b *env) told(t *testing.T, tr tasks.Transfer) string {
	t.Helper()
	sent, err := b.Webhooks(t.Context(), tr.ID)
	testkit.Must(t, err)
	var types []string
	for i := range sent {
		_, rest, _ := strings.Cut(sent[i].Body, `"type":"`)
		kind, _, _ := strings.Cut(rest, `"`)
		types = append(types, kind)
	}
	return strings.Join(types, " ")
}

func (b *env) stall(t *testing.T, want int) {
	t.Helper()
	if n, err := b.NoteStalled(t.Context(), time.Hour); err != nil || n != want {
		t.Errorf("%d transfers stand still, %v; want %d", n, err, want)
	}
}

// The first failure is told once, and again when a retry of the ended transfer fails.
func TestFirstFailureIsTold(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.stoppable(t, "none", 3)
		b.finish(t, tr, 1, "1", tasks.OutcomeSucceeded)
		if got := b.told(t, tr); got != "" {
			t.Errorf("told of %s", got)
		}
		b.finish(t, tr, 1, "2", tasks.OutcomeFailed)
		b.finish(t, tr, 1, "3", tasks.OutcomeFailed)
		if got := b.told(t, tr); got != "transfer.failing transfer.completed" {
			t.Errorf("told of %s", got)
		}
		_, err := b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Filter: tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeFailed}}, Limit: 1,
			Cut: func(int, []tasks.File) []tasks.Batch { return nil },
		})
		testkit.Must(t, err)
		b.finish(t, tr, 1, "2", tasks.OutcomeFailed)
		if got := b.told(t, tr); got != "transfer.failing transfer.completed transfer.failing transfer.completed" {
			t.Errorf("told of %s", got)
		}
	})
}

// A transfer that stands still is told of once, and again when it has moved since; never while
// a person has paused it, nor just after it was resumed.
func TestStandingStillIsTold(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.stoppable(t, "none", 5)
		b.clock.Advance(59 * time.Minute)
		b.stall(t, 0)
		b.clock.Advance(2 * time.Minute)
		b.stall(t, 1)
		b.stall(t, 0)
		b.finish(t, tr, 1, "1", tasks.OutcomeSucceeded)
		b.stall(t, 0)
		b.clock.Advance(30 * time.Minute)
		b.stall(t, 0)
		b.clock.Advance(31 * time.Minute)
		b.stall(t, 1)
		if got := b.told(t, tr); got != "transfer.stalled transfer.stalled" {
			t.Errorf("told of %s", got)
		}
		_, err := b.Pause(t.Context(), tr.ID)
		testkit.Must(t, err)
		b.resume(t, tr)
		_, err = b.Pause(t.Context(), tr.ID)
		testkit.Must(t, err)
		b.clock.Advance(3 * time.Hour)
		b.stall(t, 0)
		b.resume(t, tr)
		b.stall(t, 0)
		b.clock.Advance(61 * time.Minute)
		b.stall(t, 1)
		b.finish(t, tr, 1, "2-5", tasks.OutcomeSucceeded)
		b.clock.Advance(3 * time.Hour)
		b.stall(t, 0)
	})
}

// A transfer tells of the events of its submission alone.
func TestOnlySomeEventsAreTold(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, _, err := b.Create(t.Context(), NewTransfer{
			Via: tasks.ViaBulk, Queue: "q", Webhooks: []string{"mailto:ops@example.org"}, WebhookEvents: []string{tasks.EventCanceled},
			Steps: []tasks.StepProgress{{Number: 1, Name: "look", Handler: "noop"}},
		})
		testkit.Must(t, err)
		b.clock.Advance(2 * time.Hour)
		b.stall(t, 1)
		_, err = b.Cancel(t.Context(), tr.ID)
		testkit.Must(t, err)
		if got := b.told(t, tr); got != tasks.EventCanceled {
			t.Errorf("told of %s", got)
		}
	})
}
