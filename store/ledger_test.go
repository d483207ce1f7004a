package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/tasks"
)

func ids(batches []tasks.Batch) []int64 {
	var all []int64
	for i := range batches {
		all = append(all, batches[i].ID)
	}
	return all
}

func (b *bench) due(t *testing.T) []tasks.Batch {
	t.Helper()
	due, err := b.Due(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// Of any number of dispatchers that cut at one place, one does.
func TestCutAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 10)
		var mu sync.Mutex
		var cut []tasks.Batch
		moved := 0
		atOnce(t, 6, func(int) error {
			c := batcher.Cut{Transfer: tr.ID, From: 0, To: 9, Finished: 2, Batches: []tasks.Batch{
				newBatch(t, tr.ID, 1, "1-4"), newBatch(t, tr.ID, 2, "5-7"),
			}}
			_, err := b.Cut(t.Context(), c)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, batcher.ErrMoved) {
				moved++
				return nil
			}
			cut = append(cut, c.Batches...)
			return err
		})
		open, err := b.OpenBatches(t.Context(), tr.ID)
		if err != nil || moved != 5 || !slices.Equal(ids(open), ids(cut)) {
			t.Fatalf("%d found the cursor moved, open %v, cut %v, %v", moved, ids(open), ids(cut), err)
		}
		read := b.read(t, tr.ID)
		if read.Cursor != 9 || read.Finished != 2 || read.Steps[0].Routed != 4 || read.Steps[1].Routed != 3 {
			t.Errorf("%+v", read)
		}
		logs, err := b.Backlogs(t.Context(), 0, 10)
		if err != nil || len(logs) != 1 || logs[0].Cursor != 9 || logs[0].Files != 10 || logs[0].Open != 2 || !logs[0].MarkedAt.IsZero() {
			t.Errorf("backlog %+v, %v", logs, err)
		}
	})
}

func TestCutOfTheLastFilesCompletes(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 5)
		if done, err := b.Cut(t.Context(), batcher.Cut{Transfer: tr.ID, To: 3, Finished: 3}); err != nil || done {
			t.Errorf("an open transfer completed: %v, %v", done, err)
		}
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		if done, err := b.Cut(t.Context(), batcher.Cut{Transfer: tr.ID, From: 3, To: 5, Finished: 2}); err != nil || !done {
			t.Errorf("completed %v, %v", done, err)
		}
		if read := b.read(t, tr.ID); read.State != tasks.Completed {
			t.Errorf("%+v", read)
		}
		if logs, err := b.Backlogs(t.Context(), 0, 10); err != nil || len(logs) > 0 {
			t.Errorf("backlogs %+v, %v", logs, err)
		}
	})
}

// A sweep stands for files that were counted before.
func TestUncountedCut(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		if err := b.AddFiles(t.Context(), Addition{Transfer: tr.ID, Files: someFiles(3), Routed: map[int]int64{1: 3}}); err != nil {
			t.Fatal(err)
		}
		if err := b.Mark(t.Context(), tr.ID, 3); err != nil {
			t.Fatal(err)
		}
		logs, err := b.Backlogs(t.Context(), 0, 1)
		if err != nil || logs[0].MarkFiles != 3 || !logs[0].MarkedAt.Equal(b.clock.Now()) {
			t.Errorf("%+v, %v", logs, err)
		}
		_, err = b.Cut(t.Context(), batcher.Cut{Transfer: tr.ID, To: 3, Uncounted: true, Batches: []tasks.Batch{newBatch(t, tr.ID, 1, "2")}})
		if read := b.read(t, tr.ID); err != nil || read.Steps[0].Routed != 3 {
			t.Errorf("%+v, %v", read.Steps, err)
		}
	})
}

func TestDueAndDefer(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 9)
		var all []int64
		for i := range 5 {
			all = append(all, b.batch(t, tr.ID, strconv.Itoa(i+1)).ID)
			b.clock.Advance(7 * time.Microsecond) // fractions of every length must order
		}
		if due := b.due(t); len(due) > 0 {
			t.Fatalf("due at once: %v", ids(due))
		}
		b.clock.Advance(sendGrace - 15*time.Microsecond)
		if due := b.due(t); !slices.Equal(ids(due), all[:3]) {
			t.Errorf("due %v, want the first three of %v", ids(due), all)
		}
		b.clock.Advance(time.Second)
		if due := b.due(t); !slices.Equal(ids(due), all) {
			t.Errorf("due %v, want %v in the order of their times", ids(due), all)
		}
		if err := b.Defer(t.Context(), nil, time.Second, true); err != nil {
			t.Error(err)
		}
		if err := b.Defer(t.Context(), all[:2], 10*time.Second, false); err != nil {
			t.Fatal(err)
		}
		if err := b.Defer(t.Context(), all[2:4], 20*time.Second, true); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); !slices.Equal(ids(due), all[4:]) {
			t.Errorf("due %v, want %v", ids(due), all[4:])
		}
		b.clock.Advance(10 * time.Second)
		if due := b.due(t); len(due) != 3 || due[0].Delivery+due[1].Delivery+due[2].Delivery != 0 {
			t.Errorf("due %+v", due)
		}
		if err := b.HurryAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		delivered := 0
		for _, d := range b.due(t) {
			delivered += d.Delivery
		}
		if delivered != 2 {
			t.Errorf("%d of 2 batches that were sent again raised their delivery", delivered)
		}
	})
}

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

// A transfer completes once, however many close its last batches together.
func TestCompletionOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const batches = 12
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, batches)
		var open []*tasks.Batch
		for i := range batches {
			open = append(open, b.batch(t, tr.ID, strconv.Itoa(i+1)))
		}
		var mu sync.Mutex
		completed := 0
		atOnce(t, batches+2, func(i int) error {
			var done bool
			var err error
			if i >= batches {
				done, err = b.Seal(t.Context(), tr.ID)
			} else {
				rec := &Recording{Batch: open[i], Results: results(open[i], tasks.Succeeded, int64(i)+1), Plan: finishing(open[i])}
				err = errors.Join(b.Record(t.Context(), []*Recording{rec}), rec.Err)
				done = rec.Completed
			}
			mu.Lock()
			defer mu.Unlock()
			if done {
				completed++
			}
			return err
		})
		if read := b.read(t, tr.ID); completed != 1 || read.State != tasks.Completed {
			t.Errorf("completed %d times, %+v", completed, read)
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

func TestLease(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		acquire := func(holder string, want bool) {
			t.Helper()
			if held, err := b.Acquire(t.Context(), "dispatcher", holder, 5*time.Second); err != nil || held != want {
				t.Errorf("%s holds the lease: %v, %v; want %v", holder, held, err, want)
			}
		}
		var mu sync.Mutex
		var holders []int
		for round := range 5 {
			holders = nil
			atOnce(t, 8, func(i int) error {
				held, err := b.Acquire(t.Context(), fmt.Sprint("lease-", round), fmt.Sprint("holder-", i), time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if held {
					holders = append(holders, i)
				}
				return err
			})
			if len(holders) != 1 {
				t.Fatalf("round %d: held by %v", round, holders)
			}
		}
		acquire("a", true)
		acquire("b", false)
		b.clock.Advance(4 * time.Second)
		acquire("a", true) // renewed
		b.clock.Advance(4 * time.Second)
		acquire("b", false)
		b.clock.Advance(time.Second + time.Microsecond)
		acquire("b", true) // expired
		acquire("a", false)
		if err := b.Release(t.Context(), "dispatcher", "a"); err != nil {
			t.Fatal(err)
		}
		acquire("c", false) // a had nothing to release
		if err := b.Release(t.Context(), "dispatcher", "b"); err != nil {
			t.Fatal(err)
		}
		acquire("c", true)
	})
}

func TestWorkers(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		see := func(name string) {
			t.Helper()
			w := Worker{Name: name, Handlers: []string{"noop", "checksum"}, Slots: 4, Version: "1.2", StartedAt: b.clock.Now()}
			if _, err := b.SeeWorker(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		names := func() (all []string) {
			ws, err := b.Workers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range ws {
				if w.Slots != 4 || !slices.Equal(w.Handlers, []string{"noop", "checksum"}) || w.Version != "1.2" {
					t.Errorf("%+v", w)
				}
				all = append(all, w.Name)
			}
			return all
		}
		see("two")
		see("one")
		see("one")
		if got := names(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("workers %v", got)
		}
		b.clock.Advance(workerGone)
		see("two")
		b.clock.Advance(time.Second)
		if got := names(); !slices.Equal(got, []string{"two"}) {
			t.Errorf("workers %v", got)
		}
		if err := b.ForgetWorker(t.Context(), "two"); err != nil {
			t.Fatal(err)
		}
		if got := names(); len(got) > 0 {
			t.Errorf("workers %v", got)
		}
	})
}

func TestSetAside(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		payload := []byte("{\xff\x00'")
		if err := b.SetAside(t.Context(), "odd\xff"+strings.Repeat("y", 300), payload, "bad: \xfe"+strings.Repeat("é", 9000)); err != nil {
			t.Fatal(err)
		}
		if err := b.SetAside(t.Context(), "", make([]byte, 3<<20), ""); err != nil {
			t.Fatal(err)
		}
		if err := b.SetAside(t.Context(), "none", nil, "nothing"); err != nil {
			t.Fatal(err)
		}
		asides, err := b.Asides(t.Context(), 10)
		if err != nil || len(asides) != 3 || !bytes.Equal(asides[2].Payload, payload) || len(asides[1].Payload) != asidePayload {
			t.Fatalf("%d set aside, %v", len(asides), err)
		}
		if !asides[2].ReceivedAt.Equal(b.clock.Now()) || !strings.HasPrefix(asides[2].Reason, "bad: ") {
			t.Errorf("%v, %.20q", asides[2].ReceivedAt, asides[2].Reason)
		}
	})
}

// In a cluster that writes in several places numbers go up by more than one.
func TestNumbersOfBatchesInACluster(t *testing.T) {
	t.Parallel()
	b := migrated(t, MySQL, "auto_increment_increment=3&auto_increment_offset=2")
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 9)
	var batches []tasks.Batch
	for i := range 9 {
		batches = append(batches, newBatch(t, tr.ID, 1, strconv.Itoa(i+1)))
	}
	if err := b.AddBatches(t.Context(), batches); err != nil {
		t.Fatal(err)
	}
	open, err := b.OpenBatches(t.Context(), tr.ID)
	if err != nil || len(open) != 9 {
		t.Fatalf("%d batches, %v", len(open), err)
	}
	for i := range open {
		if open[i].ID != batches[i].ID || open[i].Files.String() != batches[i].Files.String() {
			t.Errorf("batch %d of files %v was said to be %d of %v", open[i].ID, open[i].Files, batches[i].ID, batches[i].Files)
		}
	}
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
