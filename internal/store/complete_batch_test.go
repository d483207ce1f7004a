package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestRecordManyBatchesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		var recs []*ledger.BatchCompletion
		var transfers []int64
		for range 3 {
			tr := b.transfer(t, 2)
			b.files(t, tr.ID, 20)
			transfers = append(transfers, tr.ID)
			for _, files := range []string{"1-10", "11-20"} {
				one := b.batch(t, tr.ID, files)
				rec := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, slices.Collect(one.Files.All())...)}
				rec.FollowUp = &ledger.FollowUp{Batches: []tasks.Batch{newBatch(t, tr.ID, 2, one.Files.String())}}
				recs = append(recs, rec)
			}
		}
		done := b.record(t, recs...)
		for i, tr := range transfers {
			b.checkCounters(t.Context(), t, tr)
			if read := b.read(t, tr); read.Steps[0].Succeeded != 20 || read.Steps[1].Selected != 20 {
				t.Errorf("steps of transfer %d: %+v", tr, read.Steps)
			}
			open, err := b.OpenBatches(t.Context(), tr)
			if err != nil || len(open) != 2 {
				t.Fatalf("open: %v, %v", open, err)
			}
			for j, next := range open {
				rec := recs[2*i+j]
				if next.Step != 2 || next.ID != done[2*i+j].Batches[0].ID || next.Files.String() != rec.Batch.Files.String() {
					t.Errorf("what follows %v is %+v, reported as %+v", rec.Batch.Files, next, done[2*i+j].Batches[0])
				}
			}
		}
	})
}

// Everything that a result says comes back as it was said.
func TestRecordedResultComesBack(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		r := results(one, tasks.OutcomeWarning, 1)[0]
		r.ExitCode, r.Code, r.Truncated, r.Attempt = -7, "odd-thing", true, 3
		r.Output, r.Error = "zeile \U0001F4E6\n'\"\\\x00 end", "fehler"
		r.Facts = []byte(`{"sha256":"ab","n":12345678901}`)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: []tasks.Result{r}})
		lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{}, tasks.ResultKey{}, 10)
		if err != nil || len(lines) != 1 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		got := lines[0]
		if got.Path != "/data/000000" || !got.StartedAt.Equal(r.StartedAt) || !got.EndedAt.Equal(r.EndedAt) {
			t.Errorf("path %q, times %v and %v", got.Path, got.StartedAt, got.EndedAt)
		}
		got.StartedAt, got.EndedAt = r.StartedAt, r.EndedAt
		if a, w := fmt.Sprintf("%+v", got.Result), fmt.Sprintf("%+v", r); a != w {
			t.Errorf("got  %s\nwant %s", a, w)
		}
	})
}

func TestRecordPartlyThenClose(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 4)
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		one := b.batch(t, tr.ID, "1-4")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 2, 3)})
		b.checkCounters(t.Context(), t, tr.ID)
		if read := b.read(t, tr.ID); read.Finished != 0 || read.Steps[0].Succeeded != 2 {
			t.Errorf("after a part: %+v", read)
		}
		last := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeFailed, 1, 4), FollowUp: finishing(one)}
		done := b.record(t, last)[0]
		b.checkCounters(t.Context(), t, tr.ID)
		read := b.read(t, tr.ID)
		if !done.Completed || read.State != tasks.StateCompleted || read.Finished != 4 || read.EndedAt.IsZero() {
			t.Errorf("at the end: completed %v, %+v", done.Completed, read)
		}
	})
}

// A part and the end of one batch, and the part of another, may share a
// transaction with the recording that completes the transfer: it is reported.
func TestCompletionIsReportedBesideParts(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		one := b.batch(t, tr.ID, "1-2")
		part := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1)}
		end := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 2), FollowUp: finishing(one)}
		done := b.record(t, part, end)
		if done[0].Completed || !done[1].Completed {
			t.Errorf("completed: part %v, end %v", done[0].Completed, done[1].Completed)
		}
	})
}

// One message delivered twice may bring one batch into one transaction twice.
func TestBatchClosedTwiceInOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 3)
		one := b.batch(t, tr.ID, "1-3")
		completion := func() *ledger.BatchCompletion {
			return &ledger.BatchCompletion{
				Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1, 2, 3),
				FollowUp: &ledger.FollowUp{Finished: 1, Batches: []tasks.Batch{newBatch(t, tr.ID, 2, "2-3")}},
			}
		}
		first, second, late := completion(), completion(), &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1)}
		done, err := b.Record(t.Context(), []*ledger.BatchCompletion{first, second, late})
		if err != nil {
			t.Fatal(err)
		}
		if done[0].Err != nil {
			t.Error(done[0].Err)
		}
		wantErr(t, done[1].Err, ledger.ErrLeaseLost)
		wantErr(t, done[2].Err, ledger.ErrLeaseLost)
		b.checkCounters(t.Context(), t, tr.ID)
		read := b.read(t, tr.ID)
		if read.Finished != 1 || read.Steps[1].Selected != 2 || b.count(t, "batches", "1 = 1") != 1 {
			t.Errorf("the batch was closed more than once: %+v, %d open", read, b.count(t, "batches", "1 = 1"))
		}
	})
}

// Two batches hold the same file: one result, and one of them moves it on.
func TestFileInTwoBatches(t *testing.T) {
	orders := map[string]func(b *env, t *testing.T, one, two *ledger.BatchCompletion) (second error){
		"in one transaction": func(b *env, t *testing.T, one, two *ledger.BatchCompletion) error {
			done, err := b.Record(t.Context(), []*ledger.BatchCompletion{one, two})
			testkit.Must(t, err)
			testkit.Must(t, done[0].Err)
			return done[1].Err
		},
		"one after the other": func(b *env, t *testing.T, one, two *ledger.BatchCompletion) error {
			b.record(t, one)
			_, err := b.recordOne(t, two)
			return err
		},
		"the second in parts": func(b *env, t *testing.T, one, two *ledger.BatchCompletion) error {
			b.record(t, one)
			b.record(t, &ledger.BatchCompletion{Batch: two.Batch, Results: two.Results})
			two.Results = nil
			_, err := b.recordOne(t, two)
			return err
		},
	}
	for name, in := range orders {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				tr := b.transfer(t, 1)
				b.files(t, tr.ID, 5)
				if _, err := b.Seal(t.Context(), tr.ID); err != nil {
					t.Fatal(err)
				}
				one, two := b.batch(t, tr.ID, "1-3"), b.batch(t, tr.ID, "3-5")
				first := &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1, 2, 3), FollowUp: finishing(one)}
				second := &ledger.BatchCompletion{Batch: two, Results: results(two, tasks.OutcomeFailed, 3, 4, 5), FollowUp: finishing(two)}
				elsewhere, is := errors.AsType[*ledger.RecordedElsewhereError](in(b, t, first, second))
				if !is || elsewhere.Files.String() != "3" {
					t.Fatalf("the second is not told of file 3: %v", elsewhere)
				}
				b.checkCounters(t.Context(), t, tr.ID)
				second.FollowUp, second.RecordedElsewhere = &ledger.FollowUp{Finished: 2}, elsewhere.Files
				b.record(t, second)
				b.checkCounters(t.Context(), t, tr.ID)
				read := b.read(t, tr.ID)
				if read.Finished != 5 || read.State != tasks.StateCompleted {
					t.Errorf("%d of 5 finished, %s", read.Finished, read.State)
				}
				if n := b.count(t, "results", "outcome = ?", tasks.OutcomeSucceeded); n != 3 {
					t.Errorf("%d results of the first batch, want 3", n)
				}
			})
		})
	}
}

// File numbers repeat in each transfer and at each step. In a transaction that looks up what is
// recorded, results of one transfer or step do not count for another.
func TestSameNumbersInOneTransactionAreOtherFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, other := b.transfer(t, 2), b.transfer(t, 1)
		b.files(t, tr.ID, 3)
		b.files(t, other.ID, 3)
		early := b.batch(t, tr.ID, "1")
		b.record(t, &ledger.BatchCompletion{Batch: early, Results: results(early, tasks.OutcomeSucceeded, 1)})
		// The first repeats a recorded file: its duplicate key makes the transaction look up every batch.
		again, elsewhere, later := b.batch(t, tr.ID, "1-3"), b.batch(t, other.ID, "1-3"), b.batchAt(t, tr.ID, 2, "1-3")
		b.record(t,
			&ledger.BatchCompletion{Batch: again, Results: results(again, tasks.OutcomeSucceeded, 1, 2, 3)},
			&ledger.BatchCompletion{Batch: elsewhere, Results: results(elsewhere, tasks.OutcomeSucceeded, 1, 2, 3), FollowUp: finishing(elsewhere)},
			&ledger.BatchCompletion{Batch: later, Results: results(later, tasks.OutcomeSucceeded, 1, 2, 3), FollowUp: finishing(later)},
		)
		for _, one := range []struct {
			batch *tasks.Batch
			want  int64
		}{{early, 1}, {again, 2}, {elsewhere, 3}, {later, 3}} {
			if n := b.count(t, "results", "batch_id = ?", one.batch.ID); n != one.want {
				t.Errorf("%d results of transfer %d, step %d, files %v; want %d", n, one.batch.Transfer, one.batch.Step, one.batch.Files, one.want)
			}
		}
		b.checkCounters(t.Context(), t, tr.ID)
		b.checkCounters(t.Context(), t, other.ID)
	})
}

// A handler's streams of results may name a file twice: the first word counts.
func TestResultTwiceInOneRecording(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		one := b.batch(t, tr.ID, "1-2")
		rs := append(results(one, tasks.OutcomeSucceeded, 1, 2), results(one, tasks.OutcomeFailed, 1)...)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
		b.checkCounters(t.Context(), t, tr.ID)
		if read := b.read(t, tr.ID); read.Steps[0].Succeeded != 2 || read.Steps[0].Failed != 0 {
			t.Errorf("%+v", read.Steps[0])
		}
	})
}

func TestRecordingsOfAnEarlierDeliveryAreRefused(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 4)
		one, other := b.batch(t, tr.ID, "1-2"), b.batch(t, tr.ID, "3-4")
		held, err := claim(t.Context(), b.Store, one.ID, true)
		later := held.Batch
		if err != nil || !held.Redelivered || later.FencingToken != 1 || later.Crashes != 1 {
			t.Fatalf("took over %+v, %v", held, err)
		}
		stale := &ledger.BatchCompletion{
			Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1, 2), FailedAttempts: results(one, tasks.OutcomeError, 1),
			FollowUp: finishing(one),
		}
		good := &ledger.BatchCompletion{Batch: other, Results: results(other, tasks.OutcomeSucceeded, 3, 4), FollowUp: finishing(other)}
		done, err := b.Record(t.Context(), []*ledger.BatchCompletion{stale, good})
		if err != nil {
			t.Fatal(err)
		}
		wantErr(t, done[0].Err, ledger.ErrLeaseLost)
		if done[1].Err != nil {
			t.Error(done[1].Err)
		}
		if n := b.count(t, "results", "file_no < 3"); n > 0 || b.count(t, "attempts", "1 = 1") > 0 {
			t.Errorf("%d results of a stale recording", n)
		}
		b.checkCounters(t.Context(), t, tr.ID)

		b.record(t, &ledger.BatchCompletion{Batch: &later, Results: results(&later, tasks.OutcomeSucceeded, 1, 2), FollowUp: finishing(&later)})
		again := &ledger.BatchCompletion{Batch: &later, Results: results(&later, tasks.OutcomeSucceeded, 1), FollowUp: finishing(&later)}
		_, err = b.recordOne(t, again)
		wantErr(t, err, ledger.ErrLeaseLost) // it is closed
	})
}

func TestFailedAttemptsAreKept(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		one := b.batch(t, tr.ID, "1-2")
		later := b.clock.Now().Add(time.Minute)
		next := newBatch(t, tr.ID, 1, "2")
		next.Attempt, next.NotBefore = 2, later
		rec := &ledger.BatchCompletion{
			Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1), FailedAttempts: results(one, tasks.OutcomeError, 2),
			FollowUp: &ledger.FollowUp{Finished: 1, Batches: []tasks.Batch{next}},
		}
		done := b.record(t, rec)[0]
		if n := b.count(t, "attempts", "file_no = 2 AND outcome = 'error' AND batch_id = ?", one.ID); n != 1 {
			t.Errorf("%d attempts", n)
		}
		if read := b.read(t, tr.ID); read.Steps[0].Selected != 0 {
			t.Errorf("a second attempt was counted as routed: %+v", read.Steps[0])
		}
		due, err := b.DueBatches(t.Context(), 10)
		if err != nil || len(due) > 0 {
			t.Errorf("due before its time: %v, %v", due, err)
		}
		b.clock.Advance(time.Minute)
		due, err = b.DueBatches(t.Context(), 10)
		if err != nil || len(due) != 1 || due[0].ID != done.Batches[0].ID || due[0].Attempt != 2 {
			t.Errorf("due: %+v, %v", due, err)
		}
	})
}

// A worker recorded a file and then lost the batch. Under the next fencing token the same
// file fails and would be retried: its result stays, so it cannot have another attempt.
func TestRecordedFileIsNotRetriedUnderTheNextToken(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		one := b.batch(t, tr.ID, "1-2")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeSucceeded, 2)})
		held, err := claim(t.Context(), b.Store, one.ID, true)
		testkit.Must(t, err)
		next := held.Batch
		if next.FencingToken == one.FencingToken {
			t.Fatalf("took over under the same fencing token %d", next.FencingToken)
		}
		retry := newBatch(t, tr.ID, 1, "2")
		retry.Attempt = 2
		// Each file has an outcome, so nothing but the failed attempt asks for the recorded files.
		_, err = b.recordOne(t, &ledger.BatchCompletion{
			Batch: &next, Results: results(&next, tasks.OutcomeSucceeded, 1), FailedAttempts: results(&next, tasks.OutcomeError, 2),
			FollowUp: &ledger.FollowUp{Finished: 1, Batches: []tasks.Batch{retry}},
		})
		wantErr(t, err, ledger.ErrResultExists)
		if got, attempts, open := b.count(t, "results", "1 = 1"), b.count(t, "attempts", "1 = 1"), b.count(t, "batches", "1 = 1"); got != 1 || attempts != 0 || open != 1 {
			t.Errorf("%d results, %d failed attempts, %d batches; want the first result and its batch only", got, attempts, open)
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

func TestBigOutputsInOneRecording(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const n, size = 500, 64 << 10
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, n)
		one := b.batch(t, tr.ID, fmt.Sprintf("1-%d", n))
		rs := results(one, tasks.OutcomeSucceeded, slices.Collect(one.Files.All())...)
		worst := strings.Repeat("\\'\n\x00", size/4) // each character is escaped
		for i := range rs {
			rs[i].Output, rs[i].Error = worst, worst
		}
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
		if got := b.count(t, "results", "LENGTH(output) + LENGTH(error) > 0"); got != n {
			t.Errorf("%d of %d results", got, n)
		}
		lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{}, tasks.ResultKey{Step: 1, File: n - 1}, 5)
		if err != nil || len(lines) != 1 || lines[0].Output != worst || lines[0].Error != worst {
			t.Errorf("%d lines, %v: the output is not what was written", len(lines), err)
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

// A batch of scattered files, as a condition leaves it.
func TestScatteredBatch(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const n = 20_000
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, n)
		for _, shape := range []struct {
			name string
			in   func(no int64) bool
		}{
			{"every other", func(no int64) bool { return no%2 == 0 }},
			{"pairs", func(no int64) bool { return no%3 > 0 }},
		} {
			var numbers []int64
			for no := range int64(n) {
				if shape.in(no + 1) {
					numbers = append(numbers, no+1)
				}
			}
			one := newBatch(t, tr.ID, 1, tasks.NewRanges(numbers).String())
			if shape.name == "pairs" {
				one.Step = 2
			}
			all := []tasks.Batch{one}
			if err := b.AddBatches(t.Context(), all); err != nil {
				t.Fatalf("%s: %v", shape.name, err)
			}
			held, err := claim(t.Context(), b.Store, all[0].ID, true)
			picked := held.Batch
			if err != nil || picked.Files.String() != one.Files.String() {
				t.Fatalf("%s: picked up %d files, %v", shape.name, picked.Items(), err)
			}
			files, err := b.Files(t.Context(), tr.ID, picked.Files)
			if err != nil || len(files) != len(numbers) || files[0].No != numbers[0] || files[len(files)-1].No != numbers[len(numbers)-1] {
				t.Fatalf("%s: %d files, %v", shape.name, len(files), err)
			}
			part := &ledger.BatchCompletion{Batch: &picked, Results: results(&picked, tasks.OutcomeSucceeded, numbers[:len(numbers)/2]...)}
			b.record(t, part)
			b.record(t, &ledger.BatchCompletion{Batch: &picked, Results: results(&picked, tasks.OutcomeSucceeded, numbers...), FollowUp: finishing(&picked)})
			recorded, err := b.RecordedFiles(t.Context(), tr.ID, one.Step, one.Files)
			if err != nil || recorded.String() != one.Files.String() {
				t.Errorf("%s: %d recorded, %v", shape.name, recorded.Len(), err)
			}
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}
