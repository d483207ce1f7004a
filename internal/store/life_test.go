package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Any life of a transfer of two steps, in which batches overlap, workers die,
// freeze and are overtaken, hand back, split, and share transactions: counters
// equal rows all the time, and in the end each file has exactly one result a
// step that selects it, and has finished once.
func TestAnyLifeOfATransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		rapid.Check(t, func(rt *rapid.T) {
			l := newLife(t, rt, b)
			for range rapid.IntRange(1, 25).Draw(rt, "moves") {
				l.move()
				b.checkCounters(t.Context(), rt, l.transfer)
			}
			l.drain()
			b.checkCounters(t.Context(), rt, l.transfer)
			l.checkEnd()
		})
	})
}

// life is one transfer, and the workers that ever held a batch of it.
type life struct {
	ctx       context.Context
	rt        *rapid.T
	store     *env
	transfer  int64
	files     int64
	workers   []*worker
	ending    map[*ledger.BatchCompletion]*worker
	completed int
}

// worker is a delivery of a batch, as handlers see it.
type worker struct {
	held    ledger.Claim
	verdict map[int64]tasks.Outcome // of the files that it runs or has found recorded as its own
	done    map[int64]bool          // of them, those that it has sent to the store
}

func newLife(t *testing.T, rt *rapid.T, b *env) *life {
	l := &life{ctx: t.Context(), rt: rt, store: b, transfer: b.transfer(t, 2).ID, ending: map[*ledger.BatchCompletion]*worker{}}
	l.files = rapid.Int64Range(1, 8).Draw(rt, "files")
	b.files(t, l.transfer, int(l.files))
	if _, err := b.Seal(l.ctx, l.transfer); err != nil {
		rt.Fatal(err)
	}
	l.add(1, l.files)
	return l
}

func (l *life) must(err error) {
	if err != nil {
		l.rt.Helper()
		l.rt.Fatal(err)
	}
}

func (l *life) add(first, last int64) {
	l.must(l.store.AddBatches(l.ctx, []tasks.Batch{{
		Transfer: l.transfer, Step: 1, Attempt: 1, Queue: "q", Files: tasks.Ranges{{First: first, Last: last}},
	}}))
}

func (l *life) open() []tasks.Batch {
	open, err := l.store.OpenBatches(l.ctx, l.transfer)
	l.must(err)
	return open
}

func (l *life) move() {
	switch rapid.IntRange(0, 9).Draw(l.rt, "move") {
	case 0: // the queue delivered some files twice
		first := rapid.Int64Range(1, l.files).Draw(l.rt, "first")
		l.add(first, rapid.Int64Range(first, l.files).Draw(l.rt, "last"))
	case 1, 2, 3:
		if open := l.open(); len(open) > 0 {
			l.pickup(rapid.SampledFrom(open).Draw(l.rt, "batch").ID)
		}
	case 4:
		if w := l.any(); w != nil {
			l.must(l.store.ReleaseBatch(l.ctx, &w.held.Batch))
		}
	case 5:
		if w := l.any(); w != nil && w.held.Items() > 1 {
			l.split(w)
		}
	default:
		l.record(rapid.IntRange(1, 3).Draw(l.rt, "together"))
	}
}

func (l *life) any() *worker {
	if len(l.workers) == 0 {
		return nil
	}
	return rapid.SampledFrom(l.workers).Draw(l.rt, "worker")
}

// pickup does as a worker does: it takes over unless it is the first, and
// leaves out what is recorded.
func (l *life) pickup(id int64) *worker {
	// The queue delivers again only what it counts as lost.
	lost := slices.ContainsFunc(l.workers, func(w *worker) bool { return w.held.ID == id })
	held, err := claim(l.ctx, l.store.Store, id, lost)
	l.must(err)
	w := &worker{held: held, verdict: map[int64]tasks.Outcome{}, done: map[int64]bool{}}
	for f := range held.Files.All() {
		w.verdict[f] = rapid.SampledFrom([]tasks.Outcome{tasks.OutcomeSucceeded, tasks.OutcomeFailed, tasks.OutcomeWarning}).Draw(l.rt, "verdict")
	}
	if held.Redelivered {
		recorded, err := l.store.Recorded(l.ctx, l.transfer, held.Step, held.Files)
		l.must(err)
		for _, r := range recorded {
			delete(w.verdict, r.File)
			if r.Batch == held.ID {
				w.verdict[r.File], w.done[r.File] = r.Outcome, true
			}
		}
	}
	l.workers = append(l.workers, w)
	return w
}

func (l *life) split(w *worker) {
	var parts []tasks.Batch
	for f := range w.held.Files.All() {
		part := w.held.Batch
		part.Files, part.FencingToken = tasks.NewRanges([]int64{f}), 1
		parts = append(parts, part)
	}
	if err := l.store.SplitBatch(l.ctx, &w.held.Batch, parts); err != nil {
		wantStale(l.rt, err)
	}
}

// record has some workers say something in one transaction.
func (l *life) record(together int) {
	var recs []*ledger.BatchCompletion
	for range together {
		if w := l.any(); w != nil {
			recs = append(recs, l.say(w, rapid.Bool().Draw(l.rt, "end")))
		}
	}
	if len(recs) > 0 {
		l.commit(recs)
	}
}

// say makes a recording of some results, or of all that are left and the end.
func (l *life) say(w *worker, end bool) *ledger.BatchCompletion {
	rec := &ledger.BatchCompletion{Batch: &w.held.Batch}
	for _, f := range slices.Sorted(maps.Keys(w.verdict)) {
		if !w.done[f] && (end || rapid.Bool().Draw(l.rt, "done")) {
			w.done[f] = true
			rec.Results = append(rec.Results, results(&w.held.Batch, w.verdict[f], f)...)
		}
	}
	if end {
		l.ending[rec] = w
		rec.FollowUp = l.plan(w, nil)
	}
	return rec
}

// plan: what succeeded goes on to the second step.
func (l *life) plan(w *worker, foreign tasks.Ranges) *ledger.FollowUp {
	c := new(ledger.FollowUp)
	var next []int64
	for _, f := range slices.Sorted(maps.Keys(w.verdict)) {
		switch {
		case foreign.Contains(f):
		case w.held.Step == 1 && w.verdict[f] == tasks.OutcomeSucceeded:
			next = append(next, f)
		default:
			c.Finished++
		}
	}
	if len(next) > 0 {
		c.Batches = []tasks.Batch{{Transfer: l.transfer, Step: 2, Attempt: 1, Queue: "q", Files: tasks.NewRanges(next)}}
	}
	return c
}

func (l *life) commit(recs []*ledger.BatchCompletion) {
	done, err := l.store.Record(l.ctx, recs)
	l.must(err)
	for i, r := range done {
		if e, is := errors.AsType[*ledger.RecordedElsewhereError](r.Err); is {
			recs[i].FollowUp, recs[i].RecordedElsewhere = l.plan(l.ending[recs[i]], e.Files), e.Files
			l.commit(recs[i : i+1])
			continue
		}
		if r.Err != nil {
			wantStale(l.rt, r.Err)
		}
		if r.Completed {
			l.completed++
		}
	}
}

// drain has fresh workers take over and end whatever is open.
func (l *life) drain() {
	for open := l.open(); len(open) > 0; open = l.open() {
		for i := range open {
			l.commit([]*ledger.BatchCompletion{l.say(l.pickup(open[i].ID), true)})
		}
	}
}

func (l *life) checkEnd() {
	tr, err := l.store.TransferByID(l.ctx, l.transfer)
	l.must(err)
	if tr.State != tasks.StateCompleted || tr.Finished != l.files || l.completed != 1 {
		l.rt.Errorf("%s with %d of %d finished, completed %d times", tr.State, tr.Finished, l.files, l.completed)
	}
	lines, err := l.store.Results(l.ctx, l.transfer, tasks.ResultSelector{}, tasks.ResultKey{}, 100)
	l.must(err)
	var got, want []string
	for _, r := range lines {
		got = append(got, fmt.Sprint(r.Step, ".", r.File))
		if r.Step == 1 {
			want = append(want, fmt.Sprint("1.", r.File))
		}
	}
	for _, r := range lines {
		if r.Step == 1 && r.Outcome == tasks.OutcomeSucceeded {
			want = append(want, fmt.Sprint("2.", r.File))
		}
	}
	if !slices.Equal(got, want) || tr.Steps[0].Total() != l.files {
		l.rt.Errorf("results of step.file %v, want %v for %d files", got, want, l.files)
	}
	if routed := tr.Steps[1].Selected; routed != tr.Steps[0].Succeeded {
		l.rt.Errorf("%d routed to step 2, %d succeeded", routed, tr.Steps[0].Succeeded)
	}
}

func wantStale(rt *rapid.T, err error) {
	rt.Helper()
	if !errors.Is(err, ledger.ErrLeaseLost) {
		rt.Errorf("got error %v, want %v", err, ledger.ErrLeaseLost)
	}
}
