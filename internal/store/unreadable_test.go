package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The row of a worker that is invalid hides no other worker, and keeps none from its
// heartbeats. What it has of a limit still counts.
func TestUnreadableWorker(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		five := 5
		_, err := b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{InFlight: &five})
		testkit.Must(t, err)
		beat := func(name string, used int) ledger.WorkerDirectives {
			t.Helper()
			w := tasks.Worker{
				Name: name, Handlers: []string{"noop"}, Slots: 4, StartedAt: b.clock.Now(),
				LimitsInUse: map[string]int{tasks.LimitKey(tasks.ScopeAll, ""): used},
			}
			o, err := b.HeartbeatWorker(t.Context(), w, "i")
			testkit.Must(t, err)
			return o
		}
		beat("bad", 4)
		b.spoil(t, "workers", "slots", "name = 'bad'")
		if o := beat("good", 0); len(o.Shares) != 1 || o.Shares[0].Share != 3 || o.Shares[0].Max != 0 { // bad has claimed all
			t.Errorf("the shares of the good one are %+v", o.Shares)
		}
		ws, err := b.Workers(t.Context())
		if err != nil || len(ws) != 2 {
			t.Fatalf("%d workers, %v", len(ws), err)
		}
		if w := ws[0]; w.Name != "bad" || w.DesiredState == tasks.WorkerRunning || len(w.Handlers) > 0 || !strings.Contains(w.Trouble, "slots") {
			t.Errorf("the unreadable one is %+v", w)
		}
		if w := ws[1]; w.Name != "good" || w.Trouble != "" || w.Slots != 4 {
			t.Errorf("the other is %+v", w)
		}
		beat("bad", 4)
	})
}

// As little as possible runs under a limit whose row is invalid, until it is set again.
func TestUnreadableLimit(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		five := 5
		for _, queue := range []string{"bad", "good"} {
			_, err := b.SetLimit(t.Context(), tasks.ScopeQueue, queue, tasks.LimitChange{InFlight: &five})
			testkit.Must(t, err)
		}
		b.spoil(t, "limits", "files_per_second", "name = 'bad'")
		_, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", StartedAt: b.clock.Now()}, "i")
		testkit.Must(t, err)
		all, err := b.Limits(t.Context())
		if err != nil || len(all) != 2 || all[0].InFlight != 1 || !strings.Contains(all[0].Trouble, "files_per_second") {
			t.Errorf("limits %+v, %v", all, err)
		}
		if good := all[1]; good.InFlight != 5 && b.db.Name() == "sqlite" || b.db.Name() == "sqlite" && good.Trouble != "" {
			t.Errorf("the other is %+v", good)
		}
		rate := 2.0
		_, err = b.SetLimit(t.Context(), tasks.ScopeQueue, "bad", tasks.LimitChange{InFlight: &five, FilesPerSecond: &rate})
		testkit.Must(t, err)
		if all, err = b.Limits(t.Context()); err != nil || all[0].InFlight != 5 || all[0].FilesPerSecond != 2 || all[0].Trouble != "" {
			t.Errorf("set again %+v, %v", all, err)
		}
	})
}

// A file whose row is invalid is listed as that, with its results, between the others.
// What would work on it fails by its number.
func TestUnreadableFile(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 3)
		one := b.batch(t, tr.ID, "1-3")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1, 2, 3), FollowUp: finishing(one)})
		before, err := b.ListFiles(t.Context(), tr.ID, 0, 10)
		testkit.Must(t, err)
		b.spoil(t, "files", "size", "no = 2")

		files, err := b.ListFiles(t.Context(), tr.ID, 0, 10)
		if err != nil || len(files) != 3 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for i := range files {
			if bad := strings.Contains(files[i].ScanError, "size"); files[i].No != int64(i)+1 || files[i].Path != before[i].Path || bad != (i == 1) {
				t.Errorf("file %d is %+v", i, files[i])
			}
		}
		lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{}, tasks.ResultKey{}, 10)
		if err != nil || len(lines) != 3 {
			t.Fatalf("%d results, %v", len(lines), err)
		}
		for i := range lines {
			if lines[i].Path != before[i].Path {
				t.Errorf("result %d is of %q", i, lines[i].Path)
			}
		}
		for name, read := range map[string]func() error{
			"Files": func() error { _, err := b.Files(t.Context(), tr.ID, one.Files); return err },
			"Sizes": func() error { _, err := b.Sizes(t.Context(), tr.ID, one.Files); return err },
		} {
			first := "file 2 of"
			if b.db.Name() == "mysql" { // spoil has changed the type of all
				first = "file 1 of"
			}
			if err := read(); err == nil || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), "size") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Rows that the dispatcher reads of all transfers at once: one that is invalid suspends its
// own transfer, and the others go on.
func TestUnreadableRowsSuspendTheirTransfer(t *testing.T) {
	for name, test := range map[string]struct {
		table, column string
		read          func(t *testing.T, b *env) (transfers []int64)
	}{
		"backlog": {"transfers", "weight", func(t *testing.T, b *env) (found []int64) {
			t.Helper()
			for _, l := range b.backlog(t) {
				found = append(found, l.Transfer)
			}
			return found
		}},
		"batch": {"batches", "attempt", func(t *testing.T, b *env) (found []int64) {
			t.Helper()
			for _, one := range b.due(t) {
				found = append(found, one.Transfer)
			}
			return found
		}},
		"gathering": {"batches", "step_no", func(t *testing.T, b *env) (found []int64) {
			t.Helper()
			for _, g := range b.gatherings(t) {
				found = append(found, g.Transfer)
			}
			return found
		}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				bad, good := b.transfer(t, 2), b.transfer(t, 2)
				for _, tr := range []tasks.Transfer{bad, good} {
					b.files(t, tr.ID, 4)
					b.batch(t, tr.ID, "1-2")
					b.gathering(t, tr.ID, "3", time.Time{})
				}
				b.clock.Advance(time.Minute)
				key := "transfer_id"
				if test.table == "transfers" {
					key = "id"
				}
				b.spoil(t, test.table, test.column, fmt.Sprint(key, " = ", bad.ID))
				for range 2 {
					if found := test.read(t, b); len(found) == 0 || found[0] != good.ID {
						t.Errorf("found %d, want %d", found, good.ID)
					}
				}
				suspended, err := b.Suspended(t.Context(), 10)
				if err != nil || len(suspended) != 1 || suspended[0].ID != bad.ID || !strings.Contains(suspended[0].Trouble, test.column) {
					t.Errorf("suspended %+v, %v", suspended, err)
				}
			})
		})
	}
}

// Statistics that are invalid are left out.
func TestUnreadableCosts(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		for _, worker := range []string{"bad", "good"} {
			testkit.Must(t, b.SaveCosts(t.Context(), []cost.Observations{{Key: cost.Key{Handler: "noop"}, Worker: worker, At: b.clock.Now()}}))
		}
		b.spoil(t, "costs", "seconds", "worker = 'bad'")
		if all, err := b.Costs(t.Context()); err != nil || b.db.Name() == "sqlite" && (len(all) != 1 || all[0].Worker != "good") {
			t.Errorf("costs %+v, %v", all, err)
		}
	})
}
