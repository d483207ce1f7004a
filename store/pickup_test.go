package store

import (
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestPickup(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 3)
		one := b.batch(t, tr.ID, "1-3")
		pickup := func(lost bool, delivery, dead int, retaken bool) *tasks.Batch {
			t.Helper()
			h, err := b.Pickup(t.Context(), one.ID, lost)
			if err != nil || h.Delivery != delivery || h.Lost != dead || h.Retaken != retaken || h.Files.String() != "1-3" {
				t.Errorf("picked up %+v, %v; want delivery %d, lost %d", h, err, delivery, dead)
			}
			return &h.Batch
		}
		first := pickup(false, 0, 0, false)
		second := pickup(true, 1, 1, true)
		third := pickup(false, 2, 1, true) // the queue has forgotten; the ledger has not
		if err := b.HandBack(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); len(due) > 0 {
			t.Errorf("handed back by one who does not hold it: %+v", due)
		}
		if err := b.HandBack(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); len(due) != 1 {
			t.Errorf("not due after it was handed back: %+v", due)
		}
		for _, stale := range []*tasks.Batch{first, second, third} {
			rec := &Recording{Batch: stale, Results: results(stale, tasks.Failed, 1)}
			if err := b.Record(t.Context(), []*Recording{rec}); err != nil {
				t.Fatal(err)
			}
			wantErr(t, rec.Err, ErrStale)
			wantErr(t, b.Split(t.Context(), stale, []tasks.Batch{newBatch(t, tr.ID, 1, "1")}), ErrStale)
		}
		last := pickup(false, 4, 1, true)
		b.record(t, &Recording{Batch: last, Results: results(last, tasks.Succeeded, 1, 2, 3), Plan: finishing(last)})
		_, err := b.Pickup(t.Context(), one.ID, false)
		wantErr(t, err, ErrStale)
	})
}

// Of many that take a batch over at once each gets a token of its own, and one
// of them can record.
func TestTakeOverAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		held := make([]Held, 6)
		atOnce(t, len(held), func(i int) (err error) {
			held[i], err = b.Pickup(t.Context(), one.ID, true)
			return err
		})
		tokens := map[int]bool{}
		accepted := 0
		for _, h := range held {
			tokens[h.Delivery] = true
			rec := &Recording{Batch: &h.Batch, Results: results(&h.Batch, tasks.Succeeded, 1), Plan: finishing(&h.Batch)}
			if err := b.Record(t.Context(), []*Recording{rec}); err != nil {
				t.Fatal(err)
			}
			if rec.Err == nil {
				accepted++
			}
		}
		if len(tokens) != len(held) || accepted != 1 {
			t.Errorf("%d tokens, %d accepted", len(tokens), accepted)
		}
	})
}

func TestSplitKeepsWhatIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 6)
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		one := b.batch(t, tr.ID, "1-6")
		b.record(t, &Recording{Batch: one, Results: results(one, tasks.Warning, 2, 5)})
		parts := []tasks.Batch{newBatch(t, tr.ID, 1, "1-3"), newBatch(t, tr.ID, 1, "4-6")}
		for i := range parts {
			parts[i].Attempt, parts[i].Delivery = 2, 1
		}
		if err := b.Split(t.Context(), one, parts); err != nil {
			t.Fatal(err)
		}
		if open, err := b.OpenBatches(t.Context(), tr.ID); err != nil || !slices.Equal(ids(open), ids(parts)) || open[0].Attempt != 2 || open[1].Delivery != 1 {
			t.Fatalf("open %+v, %v", open, err)
		}
		wantErr(t, b.Split(t.Context(), one, []tasks.Batch{newBatch(t, tr.ID, 1, "1")}), ErrStale)
		for i, mine := range []int64{2, 5} {
			recorded, err := b.Recorded(t.Context(), tr.ID, 1, parts[i].Files)
			if err != nil || len(recorded) != 1 || recorded[0].File != mine || recorded[0].Batch != parts[i].ID {
				t.Errorf("recorded in part %d: %+v, %v", i, recorded, err)
			}
			var rest []int64
			for f := range parts[i].Files.All() {
				if f != mine {
					rest = append(rest, f)
				}
			}
			b.record(t, &Recording{Batch: &parts[i], Results: results(&parts[i], tasks.Succeeded, rest...), Plan: func(foreign tasks.Ranges) Closing {
				if foreign.Len() > 0 {
					t.Errorf("what the whole had recorded is foreign to part %d: %v", i, foreign)
				}
				return finishing(&parts[i])(foreign)
			}})
		}
		b.checkCounters(t.Context(), t, tr.ID)
		if read := b.read(t, tr.ID); read.State != tasks.Completed || read.Steps[0].Warning != 2 || read.Steps[0].Succeeded != 4 {
			t.Errorf("%+v", read)
		}
	})
}

// A run that nobody saw the end of stays charged; one that was handed back is not.
func TestCharge(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		takeBack := func() *tasks.Batch {
			t.Helper()
			if err := b.TakeBack(t.Context(), []int64{one.ID}, time.Minute); err != nil {
				t.Fatal(err)
			}
			h, err := b.Pickup(t.Context(), one.ID, false)
			if err != nil || !h.Retaken {
				t.Fatalf("picked up %+v, %v", h, err)
			}
			return &h.Batch
		}
		first := takeBack()
		second := takeBack()
		if second.Lost != 1 {
			t.Errorf("lost twice in company, and charged: %+v", second)
		}
		wantErr(t, b.Charge(t.Context(), first), ErrStale)
		if err := b.Charge(t.Context(), second); err != nil || second.Lost != 2 {
			t.Fatalf("charged to %+v, %v", second, err)
		}
		third := takeBack()
		if third.Lost != 2 {
			t.Errorf("lost alone, and not charged: %+v", third)
		}
		if err := b.Charge(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		third.Lost-- // its worker lives
		if err := b.HandBack(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if fourth := takeBack(); fourth.Lost != 2 {
			t.Errorf("handed back, and charged: %+v", fourth)
		}
	})
}
