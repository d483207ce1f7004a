package store

import (
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// gated registers a sealed transfer of two files that has come to its second step, which waits.
func (b *env) gated(t *testing.T) (tr tasks.Transfer, waiting tasks.Batch) {
	t.Helper()
	tr, _, err := b.Create(t.Context(), NewTransfer{
		Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []", Webhooks: []string{"https://example.org"},
		Steps: []tasks.StepProgress{{Number: 1, Name: "look", Handler: "noop"}, {Number: 2, Name: "move", Handler: "noop", Approval: tasks.ApprovalWaiting}},
	})
	testkit.Must(t, err)
	b.files(t, tr.ID, 2)
	_, err = b.Seal(t.Context(), tr.ID)
	testkit.Must(t, err)
	first := []tasks.Batch{newBatch(t, tr.ID, 1, "1-2")}
	_, err = b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: tr.ID, To: 2, Bytes: 2, Batches: first})
	testkit.Must(t, err)
	next := newBatch(t, tr.ID, 2, "1-2")
	done := b.record(t, &ledger.BatchCompletion{
		Batch: &first[0], Results: results(&first[0], tasks.OutcomeSucceeded, 1, 2), FollowUp: &ledger.FollowUp{Batches: []tasks.Batch{next}},
	})
	b.clock.Advance(time.Minute)
	return tr, done[0].Batches[0]
}

func (b *env) wantGate(t *testing.T, tr tasks.Transfer, batch *tasks.Batch, open bool, approval tasks.Approval) {
	t.Helper()
	_, err := b.FindBatch(t.Context(), batch.ID)
	if due := len(b.due(t)) > 0; due != open || (err == nil) != open {
		t.Errorf("the batch is due: %v; a worker gets %v", due, err)
	}
	if got := b.read(t, tr.ID).Steps[1].Approval; got != approval {
		t.Errorf("the approval is %q, want %q", got, approval)
	}
}

// No batch of the step starts before a person has approved it; the first decision holds.
func TestStepWaitsForApproval(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, waiting := b.gated(t)
		b.wantGate(t, tr, &waiting, false, tasks.ApprovalWaiting)
		if step, ok := awaits(b.read(t, tr.ID)); !ok || step.Name != "move" {
			t.Errorf("step %q waits: %v", step.Name, ok)
		}
		for want := range 2 { // asked once, and again the next day
			for _, n := range []int{1, 0} {
				if noted, err := b.NoteApprovals(t.Context()); err != nil || noted != n {
					t.Errorf("%d messages, %v; want %d", noted, err, n)
				}
			}
			b.clock.Advance(25 * time.Hour)
			b.stall(t, 0)
			if got := b.told(t, tr); strings.Count(got, tasks.EventApproval) != want+1 {
				t.Errorf("told of %s", got)
			}
		}
		_, err := b.Decide(t.Context(), tr.ID, tasks.Decision{Step: "look"})
		wantErr(t, err, ErrNoApproval)
		step, err := b.Decide(t.Context(), tr.ID, tasks.Decision{Who: "ada", Comment: "all well"})
		if err != nil || step != "move" {
			t.Errorf("approved step %q, %v", step, err)
		}
		b.wantGate(t, tr, &waiting, true, tasks.ApprovalApproved)
		_, err = b.Decide(t.Context(), tr.ID, tasks.Decision{Reject: true})
		wantErr(t, err, ErrNoApproval)
		lines, err := b.AuditOf(t.Context(), tr.UUID, audit.Done, []string{audit.ApproveStep}, 9)
		if err != nil || len(lines) != 1 || lines[0].Who != "ada" || lines[0].Detail != "all well" || !strings.HasSuffix(lines[0].Target, " step move") {
			t.Errorf("the audit log has %+v, %v", lines, err)
		}
	})
}

// To reject a step cancels the transfer; a retry waits for approval again.
func TestStepIsRejected(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, waiting := b.gated(t)
		_, err := b.Decide(t.Context(), tr.ID, tasks.Decision{Reject: true, Who: "ada", Comment: "wrong folder"})
		testkit.Must(t, err)
		b.wantGate(t, tr, &waiting, true, tasks.ApprovalRejected) // a worker ends its files as canceled
		if got := b.read(t, tr.ID).State; got != tasks.StateCanceled {
			t.Errorf("the transfer is %s", got)
		}
		b.record(t, &ledger.BatchCompletion{
			Batch: &waiting, Results: results(&waiting, tasks.OutcomeCanceled, 1, 2), FollowUp: finishing(&waiting),
		})
		page, err := b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Filter: tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeCanceled}}, Limit: 9, WasCompleted: true,
			Cut: func(step int, _ []tasks.File) []tasks.Batch { return []tasks.Batch{newBatch(t, tr.ID, step, "1-2")} },
		})
		testkit.Must(t, err)
		b.clock.Advance(time.Minute)
		b.wantGate(t, tr, &page.Batches[0], false, tasks.ApprovalWaiting)
	})
}

// Batches that wait for approval leave room in the window of the transfer: all of its files
// come to the step.
func TestGatedBatchesLeaveRoom(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, _ := b.gated(t)
		b.exec(t, "UPDATE transfers SET files = 3 WHERE id = ?", tr.ID)
		all, err := b.Backlogs(t.Context(), 0, 9)
		if err != nil || len(all) != 1 || all[0].Open != 0 {
			t.Errorf("the backlog is %+v, %v", all, err)
		}
		// A file that the dispatcher has not seen may go to another step; by group, it is counted at its step.
		for via, want := range map[tasks.Via]int{tasks.ViaBulk: 0, tasks.ViaGroup: 1} {
			b.exec(t, "UPDATE transfers SET via = ? WHERE id = ?", via, tr.ID)
			if _, ok := awaits(b.read(t, tr.ID)); ok != (want == 1) {
				t.Errorf("by %s, it waits for approval: %v", via, ok)
			}
			b.exec(t, "UPDATE steps SET asked_at = NULL WHERE transfer_id = ?", tr.ID)
			if n, err := b.NoteApprovals(t.Context()); err != nil || n != want {
				t.Errorf("by %s, %d messages, %v; want %d", via, n, err, want)
			}
		}
	})
}

func awaits(t tasks.Transfer) (tasks.StepProgress, bool) { return t.AwaitsApproval() }
