package dispatch

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/tasks"
)

func newTestAggregator(ctx context.Context, f *fake, policy tasks.BatchPolicy) *batcher.Aggregator {
	return batcher.NewAggregator(ctx, batcher.AggregatorOptions{Store: f, Queue: f, Transfers: f.planner(policy), FirstRetry: time.Microsecond})
}

func (f *fake) planner(policy tasks.BatchPolicy) GroupPlanner {
	return GroupPlanner{Store: f, Transfers: f.transfers(policy)}
}

func fileTask(transfer int64, step int, file int64) *asynq.Task {
	return asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(transfer, step, &tasks.File{No: file, Size: file}).Encode())
}

func TestAggregateManyTransfers(t *testing.T) {
	f := newFake()
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{MaxItems: 100})
	var ts []*asynq.Task
	want := map[string]bool{}
	for i := range 5000 {
		transfer, step, file := int64(i%3)+1, 1, int64(i/3)+1
		want[fmt.Sprintf("%d.%d.%d", transfer, step, file)] = true
		ts = append(ts, fileTask(transfer, step, file))
		if i%50 == 0 {
			ts = append(ts, fileTask(transfer, step, file)) // delivered twice
		}
	}
	rand.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
	last := a.Aggregate("noop:00", ts)
	if last == nil || last.Type() != tasks.TypeBatch {
		t.Fatalf("returned %v", last)
	}
	m, err := tasks.DecodeBatch(last.Payload())
	if err != nil || m.Batch != int64(len(f.batches)) || len(f.sent) != len(f.batches)-1 {
		t.Errorf("the last is %+v, %v; %d sent, %d in the ledger", m, err, len(f.sent), len(f.batches))
	}
	got := map[string]bool{}
	for _, b := range f.batches {
		bytes := int64(0)
		for file := range b.Files.All() {
			got[fmt.Sprintf("%d.%d.%d", b.Transfer, b.Step, file)] = true
			bytes += file
		}
		if b.Items() > 100 || b.Bytes != bytes || b.Attempt != 1 || b.Queue != "q" {
			t.Errorf("batch %+v", b)
		}
	}
	if !maps.Equal(got, want) || len(f.deadLetters) > 0 || len(f.batches) != 3*17 {
		t.Errorf("%d files in %d batches, want %d; dead letters %v", len(got), len(f.batches), len(want), f.deadLetters)
	}
}

func TestAggregateGarbage(t *testing.T) {
	f := newFake()
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{})
	file := func(payload string) *asynq.Task { return asynq.NewTask(tasks.TypeFile, []byte(payload)) }
	garbage := []*asynq.Task{
		asynq.NewTask("email:deliver", []byte("{}")), asynq.NewTask("", nil), asynq.NewTask(tasks.TypeBatch, fileTask(1, 1, 1).Payload()),
		file(""), file("{"), file("null"), file("[]"), file(`{"v":2,"transfer":1,"step":1,"file":1}`),
		file(`{"v":1,"transfer":1,"step":1,"file":1,"bytes":-1}`), file(`{"v":1,"transfer":1,"step":1,"file":1e99}`),
		file(`{"v":1,"transfer":1,"step":1,"file":9223372036854775807}`), file(strings.Repeat(" ", 2<<20)), file("\xff\x00"),
		fileTask(99, 1, 1), fileTask(1, 3, 1), fileTask(1, 1<<40, 1), fileTask(66, 1, 1),
		fileTask(1, 2, 9), fileTask(1, 1, lastFile+1),
	}
	ts := append(slices.Clone(garbage), nil, fileTask(2, 1, 8), fileTask(2, 1, 9))
	last := a.Aggregate("noop:00", ts)
	if last == nil || last.Type() != tasks.TypeBatch || len(f.batches) != 1 || f.batches[0].Files.String() != "8-9" {
		t.Errorf("the valid ones became %v, %+v", last, f.batches)
	}
	if len(f.deadLetters) != len(garbage) {
		t.Errorf("%d of %d dead letters: %q", len(f.deadLetters), len(garbage), f.deadLetters)
	}
	// For a set of garbage only, asynq gets a task that does nothing.
	for _, ts := range [][]*asynq.Task{nil, {nil}, garbage} {
		if last := a.Aggregate("", ts); last == nil || last.Type() != tasks.TypeNoop {
			t.Errorf("of %d tasks came %v", len(ts), last)
		}
	}
}

func TestAggregateWhileTheLedgerFails(t *testing.T) {
	f := newFake()
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{})
	ts := []*asynq.Task{fileTask(1, 1, 1), asynq.NewTask("odd", nil)}
	f.fail["AddBatches"] = batcher.MaxAggregateAttempts - 1
	if last := a.Aggregate("g", ts); last == nil || f.calls["AddBatches"] != batcher.MaxAggregateAttempts || len(f.batches) != 1 {
		t.Errorf("gave %v after %d tries", last, f.calls["AddBatches"])
	}
	for _, method := range []string{"AddBatches", "AddDeadLetter"} {
		clear(f.calls)
		f.fail[method] = -1
		if last := a.Aggregate("g", ts); last != nil || f.calls[method] != batcher.MaxAggregateAttempts {
			t.Errorf("%s: gave %v after %d tries", method, last, f.calls[method])
		}
		f.fail[method] = 0
	}
	away := newFake()
	away.fail["read"] = -1
	if last := newTestAggregator(t.Context(), away, tasks.BatchPolicy{}).Aggregate("g", ts); last != nil || len(away.deadLetters) > 0 {
		t.Errorf("gave %v, dead letters %v while no transfer could be read", last, away.deadLetters)
	}
}

// The first batch of a transfer without other batches starts before those of transfers that
// have many.
func TestAggregatePromotesTheFirstOfATransfer(t *testing.T) {
	f := newFake()
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{MaxItems: 1})
	a.Aggregate("g", []*asynq.Task{fileTask(1, 1, 1), fileTask(1, 1, 2), fileTask(1, 1, 3)})
	a.Aggregate("g", []*asynq.Task{fileTask(1, 1, 4), fileTask(2, 1, 1), fileTask(2, 1, 2), fileTask(2, 1, 3)})
	var got []int64 // of transfers
	for _, id := range f.promoted {
		got = append(got, f.batches[id-1].Transfer)
	}
	if !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("promoted batches of the transfers %v", got)
	}
}

// When the queue fails after the batches are in the ledger, the set is done: the dispatcher
// sends them.
func TestAggregateWhileTheQueueFails(t *testing.T) {
	f := newFake()
	f.fail["EnqueueBatches"] = -1
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{MaxItems: 1})
	last := a.Aggregate("g", []*asynq.Task{fileTask(1, 1, 1), fileTask(1, 1, 2), fileTask(1, 1, 3)})
	if last == nil || len(f.batches) != 3 || f.calls["AddBatches"] != 1 {
		t.Errorf("gave %v, %d in the ledger", last, len(f.batches))
	}
}

func TestAggregateStopsWaiting(t *testing.T) {
	f := newFake()
	f.fail["AddBatches"] = -1
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := batcher.NewAggregator(ctx, batcher.AggregatorOptions{Store: f, Queue: f, Transfers: f.planner(tasks.BatchPolicy{}), FirstRetry: time.Hour})
	if last := a.Aggregate("g", []*asynq.Task{fileTask(1, 1, 1)}); last != nil || f.calls["AddBatches"] != 1 {
		t.Errorf("gave %v after %d tries", last, f.calls["AddBatches"])
	}
}

// asynq does not recover a panic of an aggregator, so it would end the process.
func TestAggregateSurvivesPanic(t *testing.T) {
	f := newFake()
	a := newTestAggregator(t.Context(), f, tasks.BatchPolicy{})
	if last := a.Aggregate("g", []*asynq.Task{fileTask(67, 1, 1)}); last != nil {
		t.Errorf("gave %v", last)
	}
	if last := a.Aggregate("g", []*asynq.Task{fileTask(1, 1, 1)}); last == nil {
		t.Error("gave nothing after a panic")
	}
}

func FuzzAggregate(f *testing.F) {
	f.Add(tasks.TypeFile, fileTask(1, 1, 1).Payload())
	f.Add(tasks.TypeFile, []byte(`{"v":1,"transfer":1,"step":1,"file":7,"bytes":9223372036854775807}`))
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		ledger := newFake()
		a := newTestAggregator(t.Context(), ledger, tasks.BatchPolicy{MaxItems: 2, MaxBytes: 10})
		one := asynq.NewTask(kind, payload)
		last := a.Aggregate("g", []*asynq.Task{one, fileTask(1, 1, 5), one})
		if last == nil && !strings.Contains(string(payload), "67") {
			t.Fatal("gave nothing")
		}
		for _, b := range ledger.batches {
			if _, err := tasks.ParseRanges(b.Files.String()); err != nil {
				t.Errorf("a batch that cannot be read back: %v", err)
			}
		}
	})
}
