package store

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestActivityAndBatchesAreKeptWithTheResults(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 10)
		made := b.clock.Now()
		one, two, open := b.batch(t, tr.ID, "1-4"), b.batch(t, tr.ID, "5-8"), b.batch(t, tr.ID, "9-10")
		testkit.Must(t, b.HoldBatches(ctx, "w", []tasks.Batch{*open}))
		first := results(one, tasks.OutcomeSucceeded, 1, 2, 3, 4)
		first[2].Outcome = tasks.OutcomeFailed
		first[2].StartedAt, first[2].EndedAt = made.Add(time.Second), made.Add(6*time.Second)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: first, FollowUp: &ledger.FollowUp{Finished: 4}})
		// Part of a batch counts when it is recorded; the batch itself when it has ended.
		b.record(t, &ledger.BatchCompletion{Batch: two, Results: results(two, tasks.OutcomeSucceeded, 5)})
		b.clock.Advance(ledger.SlotLength)
		b.record(t, &ledger.BatchCompletion{Batch: two, Results: results(two, tasks.OutcomeSucceeded, 6, 7, 8), FollowUp: &ledger.FollowUp{Finished: 4}})

		of, err := b.Activity(ctx, []int64{tr.ID, tr.ID + 1}, made)
		slot := ledger.SlotOf(made)
		want := []ledger.Activity{
			{Slot: slot, Results: 5, Failed: 1, Finished: 4, Bytes: one.Bytes}, {Slot: slot + 1, Results: 3, Finished: 4, Bytes: two.Bytes},
		}
		if err != nil || fmt.Sprint(of[tr.ID]) != fmt.Sprint(want) || len(of) != 1 {
			t.Errorf("%v: %v, want %v", err, of, want)
		}
		if last, err := b.LastActivity(ctx, tr.ID, 1); err != nil || fmt.Sprint(last) != fmt.Sprint(want[1:]) {
			t.Errorf("%v: %v, want %v", err, last, want[1:])
		}
		past, err := b.PastBatches(ctx, tr.ID, 5)
		if err != nil || len(past) != 2 || past[0].Batch != two.ID || past[1].Items != 4 || past[1].Failed != 1 || !past[1].CreatedAt.Equal(made) {
			t.Errorf("%v: %+v", err, past)
		}
		slow, err := b.SlowBatches(ctx, tr.ID, 1)
		if err != nil || len(slow) != 1 || slow[0].Slowest != 3 || slow[0].SlowestTook != 5*time.Second {
			t.Errorf("%v: the slowest is %+v", err, slow)
		}
		waiting, err := b.WaitingBatches(ctx, tr.ID, 5)
		if err != nil || len(waiting) != 1 || waiting[0].Items != 2 || waiting[0].HeldBy != "w" {
			t.Errorf("%v: %+v", err, waiting)
		}
		b.clock.Advance(time.Hour)
		if waiting, err = b.WaitingBatches(ctx, tr.ID, 5); err != nil || waiting[0].HeldBy != "" {
			t.Errorf("%v: a dead worker holds %+v", err, waiting)
		}
	})
}

func TestTransfersAreSearched(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		var made []tasks.Transfer
		for _, name := range []string{"Scans 100%", "scans_b", "letters"} {
			tr, _, err := b.Create(ctx, NewTransfer{Name: name, Via: tasks.ViaBulk, Queue: "q", Steps: []tasks.StepProgress{{Number: 1, Name: "one", Handler: "noop"}}})
			testkit.Must(t, err)
			made = append(made, tr)
		}
		b.files(t, made[1].ID, 3)
		one := b.batch(t, made[1].ID, "1")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeError, 1), FollowUp: finishing(one)})
		_, err := b.Seal(ctx, made[2].ID)
		testkit.Must(t, err)
		_, err = b.Pause(ctx, made[0].ID)
		testkit.Must(t, err)
		for want, query := range map[string]ledger.TransferQuery{
			"[letters scans_b Scans 100%]":  {},
			"[scans_b Scans 100%]":          {Text: "SCANS"},
			"[Scans 100%]":                  {Text: "100%"},
			"[scans_b]":                     {Text: "s_b"},
			"[letters]":                     {States: []tasks.State{tasks.StateCompleted}},
			"[Scans 100%] ":                 {PausedOnly: true},
			"[scans_b] ":                    {WithFailures: true},
			"[scans_b] by number":           {Text: strconv.FormatInt(made[1].ID, 10)},
			"[letters] by id":               {Text: made[2].UUID[:36]},
			"[Scans 100% scans_b letters]":  {Sort: ledger.SortOldest},
			"[Scans 100% letters scans_b] ": {Sort: ledger.SortName},
			"[scans_b letters Scans 100%]":  {Sort: ledger.SortFiles},
			"[scans_b letters Scans 100%] ": {Sort: ledger.SortFailed},
			"[letters Scans 100%]":          {Sort: ledger.SortBytes, Offset: 1},
			"[Scans 100%] older":            {Text: "scans", Before: made[1].ID},
			"[]":                            {Text: "x"},
		} {
			query.Limit = 3
			ts, complete, err := b.SearchTransfers(ctx, &query)
			var names []string
			for _, tr := range ts {
				names = append(names, tr.Name)
			}
			if got := fmt.Sprint(names); err != nil || !complete || len(want) < len(got) || got != want[:len(got)] {
				t.Errorf("%+v: %v %s, want %s", query, err, got, want)
			}
		}
	})
}
