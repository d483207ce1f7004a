package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// lose marks a batch as the queue does when its worker died.
func (r *env) lose(b *tasks.Batch) {
	r.T.Helper()
	h := r.Claim(b.ID, true)
	if b.Crashes > 0 && b.Items() == 1 {
		r.Must(r.Store.CountCrash(r.T.Context(), &h.Batch, "dead"))
		r.Expire(b.ID)
	}
}

// The other files of its batch are retried in smaller batches, until the file that kills
// its worker is alone and its last attempt is used up.
func TestFileThatKillsWorkersFailsAlone(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const files, poison = 100, 42
		r := newEnv(t, url, "name: t\nsteps: [{handler: fine, retry: {attempts: 3}}]")
		ran := make(map[int64]int)
		r.handle("fine", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				ran[j.File().No]++
			}
			return nil
		})
		r.Files(files)
		w := r.worker("w")
		deaths := 0
		for {
			open := r.Open()
			if len(open) == 0 {
				break
			}
			for i := range open {
				b := &open[i]
				if !b.Files.Contains(poison) || b.Crashes > 0 && b.Items() > 1 || b.Crashes+b.InheritedCrashes == 3 {
					r.Must(r.deliver(w, b))
					continue
				}
				deaths++
				r.lose(b)
			}
		}
		r.audit()
		if deaths != 3 { // with 100 files, with 10, and alone
			t.Errorf("%d workers died", deaths)
		}
		for no, res := range r.Results(1) {
			if no == poison {
				if res.Outcome != tasks.OutcomeError || res.Code != handlers.CodeWorkerCrashed || ran[no] != 0 {
					t.Errorf("the poison file ended as %+v after %d runs", res, ran[no])
				}
			} else if res.Outcome != tasks.OutcomeSucceeded || ran[no] != 1 {
				t.Errorf("file %d ended as %s after %d runs", no, res.Outcome, ran[no])
			}
		}
	})
}

// Files that were recorded before the worker died neither run again nor count twice.
func TestPartsInheritWhatWasRecorded(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: half}, {handler: next, when: 'facts.kind == \"a\"'}]")
		ran := make(map[int64]int)
		lost := false
		r.handle("half", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if lost || j.File().No <= 4 {
					ran[j.File().No]++
					r.Must(j.SetFact("kind", map[bool]string{true: "a", false: "b"}[j.File().No%2 == 0]))
					j.Done()
				}
			}
			return nil
		})
		seen := 0
		r.handle("next", func(_ context.Context, jobs []*handlers.Job) error { seen += len(jobs); return nil })
		batches := r.Files(9)
		r.halve(&batches[0])
		lost = true
		r.lose(&batches[0])
		r.finish(r.worker("w"))
		r.audit()
		for no := int64(1); no <= 9; no++ {
			if ran[no] != 1 {
				t.Errorf("file %d ran %d times", no, ran[no])
			}
		}
		if seen != 4 {
			t.Errorf("%d files came to the second step, want 4", seen)
		}
	})
}

// halve lets a worker record what is done of a batch and die before its end.
func (r *env) halve(b *tasks.Batch) {
	r.T.Helper()
	e, err := r.Transfers.Get(r.T.Context(), b.Transfer)
	r.Must(err)
	reg, _ := r.registry.Lookup(e.Step(b.Step).Handler)
	run := newBatchRun(r.worker("dies"), &ledger.Claim{Batch: *b}, assignment{plan: e, registration: reg})
	r.Must(run.load(r.T.Context()))
	open, done, err := run.build()
	r.Must(err)
	defer done()
	r.Must(reg.Handler.Handle(r.T.Context(), open))
	r.Must(run.partial.stop())
	r.Must(run.partial.flushAll(r.T.Context()))
}

// A suspect batch runs alone in its worker until its result is recorded. Otherwise a crash
// would count against another batch, or a crash of another batch against this one.
func TestSuspectIsAloneUntilItsResultIsRecorded(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: fine, batch: {max_items: 1}}]")
		r.handle("fine", endAs(tasks.OutcomeSucceeded, tasks.OutcomeSucceeded))
		batches := r.Files(2)
		var w *Runner
		free := make(map[int]bool) // results recorded → whether there was room beside
		w = r.worker("w", func(o *Options) {
			o.Slots = 4
			o.BatchEnded = func() {
				free[len(r.Results(1))] = w.slots.Free() > 0
			}
		})
		r.lose(&batches[0])
		for i := range batches {
			r.Must(r.deliver(w, &batches[i]))
		}
		if free[1] || !free[2] {
			t.Errorf("room beside the suspect: %v; beside its neighbour: %v", free[1], free[2])
		}
		r.audit()
	})
}

// The queue takes a worker for dead, as its clock differs, while the worker beats: then
// nobody takes the batch over, and nobody is charged.
func TestWorkerThatBeatsKeepsItsBatch(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, retry: {attempts: 2}}]")
		began, release := make(chan struct{}, 9), make(chan struct{})
		r.handle("slow", func(context.Context, []*handlers.Job) error {
			began <- struct{}{}
			<-release
			return nil
		})
		batches := r.Files(1)
		slow, eager := r.worker("slow"), r.worker("eager")
		ended := make(chan error, 1)
		go func() { ended <- r.deliver(slow, &batches[0]) }()
		<-began
		r.Must(slow.HoldRunning(t.Context()))
		for range 4 {
			for _, w := range []*Runner{eager, slow} {
				if err := r.deliver(w, &batches[0]); !errors.Is(err, ledger.ErrClaimed) {
					t.Errorf("%s answered %v", w.Worker, err)
				}
			}
			if due, err := r.Store.DueBatches(t.Context(), 10); err != nil || len(due) > 0 {
				t.Errorf("due: %+v, %v", due, err)
			}
		}
		close(release)
		r.Must(<-ended)
		r.audit()
		if got := r.Results(1)[1]; got.Outcome != tasks.OutcomeSucceeded || got.Worker != "slow" || len(began) > 0 {
			t.Errorf("recorded %+v, ran %d times more", got, len(began))
		}
	})
}

// One file crashes every worker. Its neighbours crash with it each time that they do not
// run alone, and pass in the end.
func TestNeighboursOfAFileThatKillsWorkersPass(t *testing.T) {
	for _, attempts := range []int{1, 2, 3} {
		for _, files := range []int{1, 5, 100} {
			t.Run(fmt.Sprintf("%d files, %d attempts", files, attempts), func(t *testing.T) {
				const poison = 1
				r := newEnv(t, testkit.SQLite(t), fmt.Sprintf("name: t\nsteps: [{handler: fine, retry: {attempts: %d}}]", attempts))
				r.handle("fine", endAs(slices.Repeat([]tasks.Outcome{tasks.OutcomeSucceeded}, files)...))
				r.Files(files)
				w, deaths := r.worker("w"), 0
				for open := r.Open(); len(open) > 0; open = r.Open() {
					for i := range open {
						b := &open[i]
						alone := b.Items() == 1 && b.Crashes > 0
						given := b.Crashes >= 2 && b.Crashes+b.InheritedCrashes >= attempts
						mine := b.Files.Contains(poison)
						if b.Crashes == 0 || alone && mine && !given {
							r.lose(b)
							if mine {
								deaths++
							}
						} else {
							r.Must(r.deliver(w, b))
						}
					}
				}
				r.audit()
				for no, res := range r.Results(1) {
					if crashed := res.Code == handlers.CodeWorkerCrashed; crashed != (no == poison) {
						t.Errorf("file %d ended as %+v", no, res)
					}
				}
				want := 3 // in the batch, in a part or beside others, alone
				if files == 1 {
					want = max(attempts, 2)
				}
				if deaths != want {
					t.Errorf("%d workers died, want %d", deaths, want)
				}
			})
		}
	}
}

// The parts of a batch count the attempts that it had.
func TestPartsInheritTheAttempt(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: busy, retry: {attempts: 2}}]")
		r.handle("busy", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				j.SetStatus(1, tasks.OutcomeError, "busy")
			}
			return nil
		})
		b := r.Files(4)[0]
		w := r.worker("w")
		r.Must(r.deliver(w, &b))
		r.send(r.Open()[0])
		again := r.Open()[0]
		r.lose(&again)
		r.Must(r.deliver(w, &again))
		for _, part := range r.Open() {
			if part.Attempt != 2 || part.Items() != 1 {
				t.Errorf("a part is %+v", part)
			}
		}
		r.finish(w)
		r.audit()
		if tries := r.tries(); len(tries) != 4 {
			t.Errorf("failed attempts: %v, want one for each file", tries)
		}
	})
}
