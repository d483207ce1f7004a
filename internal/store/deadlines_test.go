package store

import (
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// timed registers a sealed transfer with a deadline.
func (b *env) timed(t *testing.T, deadline string) tasks.Transfer {
	t.Helper()
	d, err := tasks.ParseDeadline(deadline)
	testkit.Must(t, err)
	tr, _, err := b.Create(t.Context(), NewTransfer{
		Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []", Webhooks: []string{"https://example.org/hook"}, Deadline: d,
		Steps: []tasks.StepProgress{{Number: 1, Name: "look", Handler: "noop"}},
	})
	testkit.Must(t, err)
	b.files(t, tr.ID, 4)
	_, err = b.Seal(t.Context(), tr.ID)
	testkit.Must(t, err)
	return tr
}

func (b *env) overdue(t *testing.T, want int) {
	t.Helper()
	n, err := b.CancelOverdue(t.Context())
	if testkit.Must(t, err); n != want {
		t.Errorf("%d transfers were canceled at their deadline, want %d", n, want)
	}
}

// A deadline cancels a transfer, also a paused one, once it has passed and not before; it says so,
// and others go on.
func TestDeadlineCancelsATransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		late, paused, other := b.timed(t, "1h"), b.timed(t, "1h"), b.timed(t, "none")
		batch := b.batch(t, late.ID, "1-4")
		_, err := b.Pause(t.Context(), paused.ID)
		testkit.Must(t, err)
		b.clock.Advance(time.Hour - time.Second)
		b.overdue(t, 0)
		b.clock.Advance(2 * time.Second)
		b.overdue(t, 2)
		b.overdue(t, 0)
		for _, tr := range []tasks.Transfer{late, paused} {
			now := b.read(t, tr.ID)
			if now.State != tasks.StateCanceled || !now.DeadlineExceeded || !now.PausedAt.IsZero() || now.EndedAt.IsZero() {
				t.Errorf("it is %s, exceeded: %v, paused at %v", now.State, now.DeadlineExceeded, now.PausedAt)
			}
			if told := b.told(t, tr); told != tasks.EventCanceled {
				t.Errorf("told of %q", told)
			}
			if n := b.count(t, "audit_log", "transfer = ? AND action = ?", tr.UUID, audit.DeadlineTransfer); n != 1 {
				t.Errorf("%d lines in the audit log", n)
			}
		}
		if now := b.read(t, other.ID); now.State != tasks.StateRunning || now.DeadlineExceeded {
			t.Errorf("the other one is %s", now.State)
		}
		if c, err := b.FindBatch(t.Context(), batch.ID); err != nil || !c.Canceled || !c.DeadlineExceeded {
			t.Errorf("its batch is %+v, %v", c, err)
		}
		all, err := b.CanceledAmong(t.Context(), []int64{late.ID, other.ID})
		if err != nil || len(all) != 1 || all[0].ID != late.ID || !all[0].DeadlineExceeded {
			t.Errorf("canceled are %+v, %v", all, err)
		}
	})
}

// A person cancels: that is not the deadline. One that has ended stays as it is.
func TestDeadlineLeavesEndedTransfersAlone(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.timed(t, "1h")
		_, err := b.Cancel(t.Context(), tr.ID)
		testkit.Must(t, err)
		b.clock.Advance(2 * time.Hour)
		b.overdue(t, 0)
		if now := b.read(t, tr.ID); now.DeadlineExceeded {
			t.Error("the deadline has canceled what a person had canceled")
		}
	})
}

func TestDeadlineIsChanged(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.timed(t, "1h")
		change := func(text string) error {
			d, err := tasks.ParseDeadline(text)
			testkit.Must(t, err)
			_, err = b.Update(t.Context(), tr.ID, tasks.TransferChange{Deadline: &d})
			return err
		}
		testkit.Must(t, change("3h"))
		b.clock.Advance(2 * time.Hour)
		b.overdue(t, 0)
		if now := b.read(t, tr.ID); now.UpdatedAt.IsZero() {
			t.Error("it does not say that it was updated")
		}
		testkit.Must(t, change("none"))
		b.clock.Advance(2 * time.Hour)
		b.overdue(t, 0)
		past := b.clock.Now().Add(-time.Second).UTC().Format(time.RFC3339)
		if err := change(past); !errors.Is(err, tasks.ErrDeadlinePassed) {
			t.Errorf("a deadline that has passed gives %v", err)
		}
		if now := b.read(t, tr.ID); !now.DeadlineAt.IsZero() || now.State != tasks.StateRunning {
			t.Errorf("it is %s with the deadline %v", now.State, now.DeadlineAt)
		}
		testkit.Must(t, change(b.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)))
		b.clock.Advance(2 * time.Minute)
		b.overdue(t, 1)
	})
}

func TestSubmittedDeadlineMustBeAhead(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		_, _, err := b.Create(t.Context(), NewTransfer{
			Via: tasks.ViaBulk, Queue: "q", Recipe: "steps: []", Deadline: tasks.Deadline{At: b.clock.Now()},
			Steps: []tasks.StepProgress{{Number: 1, Name: "look", Handler: "noop"}},
		})
		if !errors.Is(err, tasks.ErrDeadlinePassed) || b.count(t, "transfers", "1 = 1") != 0 {
			t.Errorf("got %v", err)
		}
	})
}
