package walltime

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// kept is a store in memory.
type kept struct {
	times []ledger.WorkTime
	err   error
}

func (k *kept) AddWorkTimes(_ context.Context, times []ledger.WorkTime) error {
	if k.err != nil {
		return k.err
	}
	k.times = append(k.times, times...)
	return nil
}

// scene is a transfer that one worker works on.
type scene struct {
	*testing.T

	meter    *Meter
	kept     kept
	transfer tasks.Transfer
	gap      ledger.Gap
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, transfer: tasks.Transfer{
		ID: 1, State: tasks.StateRunning, CreatedAt: time.Now(), Steps: []tasks.StepProgress{{Number: 1, Name: "a"}, {Number: 2, Name: "b"}},
	}}
	s.meter = NewMeter(MeterOptions{Worker: "w", Slots: 4, Started: time.Now().Add(-time.Hour), Now: time.Now})
	s.gap = ledger.Gap{TransferCreatedAt: time.Now(), BatchCreatedAt: time.Now()}
	return s
}

func (s *scene) begin(step, attempt int) *Lap {
	return s.meter.Begin(&tasks.Batch{Transfer: 1, Step: step, Attempt: attempt}, &s.gap)
}

// want ends the transfer, and compares what it did with its parts, in seconds.
func (s *scene) want(parts map[tasks.TimePart]float64) *tasks.WallTime {
	s.Helper()
	s.transfer.State, s.transfer.EndedAt = tasks.StateCompleted, time.Now()
	if err := s.meter.Flush(s.Context(), &s.kept); err != nil {
		s.Fatal(err)
	}
	s.meter.Close()
	w := Of(&s.transfer, s.kept.times, time.Now())
	for p := range tasks.TimePart(tasks.TimeParts) {
		if got := w.Parts[p].Seconds(); got < parts[p]-0.01 || got > parts[p]+0.01 {
			s.Errorf("%s took %.3f s, want %.3f s", p, got, parts[p])
		}
	}
	checkSums(s, w, tasks.Elapsed(&s.transfer, time.Now()))
	return w
}

type failer interface {
	Errorf(format string, args ...any)
}

func checkSums(t failer, w *tasks.WallTime, took time.Duration) {
	var steps tasks.TimeByPart
	for i := range w.Steps {
		for p, d := range w.Steps[i].Parts {
			steps[p] += d
		}
	}
	for p, d := range w.Parts {
		if d < 0 || steps[p] > d {
			t.Errorf("%s: %s in all, %s in the steps", tasks.TimePart(p), d, steps[p])
		}
	}
	if got := w.Parts.Sum(); got != w.Took || w.Took != took {
		t.Errorf("the parts add up to %s, of %s, of %s", got, w.Took, took)
	}
}

func TestOneBatchAfterAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		time.Sleep(time.Second) // files are registered
		s.gap.BatchCreatedAt = time.Now()
		time.Sleep(2 * time.Second)
		l := s.begin(1, 1)
		time.Sleep(3 * time.Second)
		l.Enter(tasks.TimeSlots)
		time.Sleep(4 * time.Second)
		l.Enter(tasks.TimeHandler)
		time.Sleep(5 * time.Second)
		l.Enter(tasks.TimeCommits)
		time.Sleep(6 * time.Second)
		l.Enter(tasks.TimeOther)
		time.Sleep(7 * time.Second)
		l.End()
		s.gap.BatchCreatedAt = time.Now()
		time.Sleep(8 * time.Second)
		l = s.begin(1, 2) // tries files again
		l.Enter(tasks.TimeHandler)
		time.Sleep(9 * time.Second)
		l.End()
		w := s.want(map[tasks.TimePart]float64{
			tasks.TimeNoBatch: 1, tasks.TimeQueue: 2, tasks.TimeLoading: 3, tasks.TimeSlots: 4, tasks.TimeHandler: 14, tasks.TimeCommits: 6,
			tasks.TimeOther: 7, tasks.TimeRetry: 8,
		})
		if w.Workers != 1 || w.Slots != 4 || w.Steps[0].Parts != w.Parts || w.Steps[1].Parts.Sum() != 0 {
			t.Errorf("%+v", w)
		}
	})
}

// A moment counts once, however many batches run in it. Waiting for a slot counts only while
// nothing else is done.
func TestBatchesAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		a, b, c := s.begin(1, 1), s.begin(1, 1), s.begin(2, 1)
		a.Enter(tasks.TimeHandler)
		b.Enter(tasks.TimeCommits)
		c.Enter(tasks.TimeSlots)
		time.Sleep(4 * time.Second)
		c.Enter(tasks.TimeHandler)
		time.Sleep(3 * time.Second)
		a.End()
		b.End()
		c.Enter(tasks.TimeSlots)
		time.Sleep(5 * time.Second)
		c.End()
		w := s.want(map[tasks.TimePart]float64{tasks.TimeHandler: 2 + 2, tasks.TimeCommits: 2 + 1, tasks.TimeSlots: 5})
		if h := w.Steps[1].Parts[tasks.TimeHandler]; h != time.Second {
			t.Errorf("the second step's handler took %s", h)
		}
		if w.HandlersAtOnce < 0.82 || w.HandlersAtOnce > 0.84 { // 4 + 3 + 3 of 12 s
			t.Errorf("%.2f handlers at once", w.HandlersAtOnce)
		}
	})
}

func TestWaitingIsExplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		l := s.begin(1, 1)
		l.Enter(tasks.TimeHandler)
		time.Sleep(time.Second)
		l.End()

		s.gap.BatchCreatedAt = time.Now()
		time.Sleep(2 * time.Second)
		s.meter.Refused(1, tasks.TimeLimits, time.Now())
		time.Sleep(3 * time.Second)
		s.meter.Refused(1, tasks.TimeSlots, time.Now()) // the first reason counts
		l = s.begin(1, 1)
		l.End()

		s.gap.BatchCreatedAt = time.Now()
		time.Sleep(time.Second)
		s.gap.PausedFrom = time.Now()
		time.Sleep(10 * time.Second)
		s.gap.PausedUntil = time.Now()
		time.Sleep(time.Second)
		s.begin(1, 1).End()

		s.gap.BatchCreatedAt = time.Now()
		time.Sleep(20 * time.Second)
		s.gap.ApprovedAt = time.Now()
		time.Sleep(time.Second)
		s.begin(2, 1).End()
		w := s.want(map[tasks.TimePart]float64{
			tasks.TimeHandler: 1, tasks.TimeQueue: 2 + 1 + 1 + 1, tasks.TimeLimits: 3, tasks.TimePaused: 10, tasks.TimeApproval: 20,
		})
		if w.Steps[1].Parts[tasks.TimeApproval] != 20*time.Second {
			t.Errorf("%+v", w.Steps[1])
		}
	})
}

// What could not be written is written with the next heartbeat, and nothing twice.
func TestFlushAfterAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		l := s.begin(1, 1)
		l.Enter(tasks.TimeHandler)
		time.Sleep(2 * time.Second)
		s.kept.err = errors.New("no connection")
		if err := s.meter.Flush(t.Context(), &s.kept); !errors.Is(err, s.kept.err) {
			t.Fatal(err)
		}
		s.kept.err = nil
		time.Sleep(time.Second)
		if err := s.meter.Flush(t.Context(), &s.kept); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		l.End()
		<-s.meter.Changed() // it asks for that once nothing runs
		s.want(map[tasks.TimePart]float64{tasks.TimeHandler: 4, tasks.TimeNoBatch: quietAfter.Seconds()})
	})
}

// While a transfer runs, the parts add up to the time until the last word of a worker, and
// nothing is missing once that is old.
func TestWhileItRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		if w := Of(&s.transfer, nil, time.Now().Add(time.Minute)); w.Parts[tasks.TimeNoBatch] != time.Minute || w.Workers != 0 {
			t.Errorf("before the first batch: %+v", w)
		}
		l := s.begin(1, 1)
		l.Enter(tasks.TimeHandler)
		time.Sleep(time.Minute)
		if err := s.meter.Flush(t.Context(), &s.kept); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		w := Of(&s.transfer, s.kept.times, time.Now())
		if w.Took != time.Minute || w.Parts[tasks.TimeHandler] != time.Minute {
			t.Errorf("%+v", w)
		}
		time.Sleep(time.Minute)
		s.transfer.Steps[0].Selected = 1
		w = Of(&s.transfer, s.kept.times, time.Now())
		if w.Took != 123*time.Second || w.Parts[tasks.TimeQueue] != 63*time.Second {
			t.Errorf("%+v", w)
		}
		s.transfer.PausedAt = time.Now().Add(-13 * time.Second)
		w = Of(&s.transfer, s.kept.times, time.Now())
		if w.Parts[tasks.TimeQueue] != 50*time.Second || w.Parts[tasks.TimePaused] != 13*time.Second {
			t.Errorf("paused: %+v", w)
		}
		s.transfer.Steps[0].Approval = tasks.ApprovalWaiting
		w = Of(&s.transfer, s.kept.times, time.Now())
		if w.Parts[tasks.TimeApproval] != 50*time.Second || w.Parts[tasks.TimePaused] != 13*time.Second || w.Parts[tasks.TimeQueue] != 0 {
			t.Errorf("paused while a step waits for approval: %+v", w)
		}
		s.transfer.Steps[0].Approval = ""
		l.End()
		s.meter.Close()
	})
}

// Two workers count as one on average; time without any is none's.
func TestTwoWorkersAndNone(t *testing.T) {
	t.Parallel()
	start := time.Unix(1700000000, 0)
	of := func(worker string, from, until int, part tasks.TimePart) ledger.WorkTime {
		w := ledger.WorkTime{
			Step: 1, Worker: worker, Slots: 2, From: start.Add(time.Duration(from) * time.Second), Until: start.Add(time.Duration(until) * time.Second),
		}
		w.Parts[part] = w.Until.Sub(w.From)
		return w
	}
	tr := tasks.Transfer{
		State: tasks.StateCompleted, CreatedAt: start, EndedAt: start.Add(100 * time.Second), Steps: []tasks.StepProgress{{Number: 1, Name: "a"}},
		Finalizers: []tasks.FinalizeStep{{}},
	}
	w := Of(&tr, []ledger.WorkTime{of("v", 50, 90, tasks.TimeQueue), of("w", 50, 90, tasks.TimeHandler), of("w", 0, 10, tasks.TimeHandler)}, start)
	if w.Parts[tasks.TimeNoWorker] != 40*time.Second || w.Parts[tasks.TimeFinalSteps] != 10*time.Second || w.Workers != 2 || w.Slots != 4 {
		t.Errorf("%+v", w)
	}
	if got := w.Parts[tasks.TimeHandler]; got < 27*time.Second || got > 28*time.Second { // 50 of 90 s that they said, of 50 s
		t.Errorf("the handler took %s", got)
	}
	if Of(&tr, nil, start) != nil {
		t.Error("it knows where the time of an old transfer went")
	}
}

// Whatever the workers and their clocks say, the parts add up.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(1700000000, 0)
		ms := func(name string, from, until int) time.Duration {
			return time.Duration(rapid.IntRange(from, until).Draw(t, name)) * time.Microsecond
		}
		tr := tasks.Transfer{State: tasks.StateCompleted, CreatedAt: start, Steps: make([]tasks.StepProgress, 2)}
		if rapid.Bool().Draw(t, "runs") {
			tr.State = tasks.StateRunning
		} else {
			tr.EndedAt = start.Add(ms("took", 0, 60_000_000))
		}
		times := make([]ledger.WorkTime, rapid.IntRange(1, 6).Draw(t, "times"))
		for i := range times {
			w := &times[i]
			w.Step, w.Worker = rapid.IntRange(0, 3).Draw(t, "step"), rapid.SampledFrom([]string{"v", "w"}).Draw(t, "worker")
			w.From = start.Add(ms("from", -1_000_000, 90_000_000))
			w.Until = w.From.Add(ms("length", -1000, 60_000_000))
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				w.Parts[rapid.IntRange(0, tasks.TimeParts-1).Draw(t, "part")] += ms("part", 0, 30_000_000)
			}
		}
		w := Of(&tr, times, start.Add(ms("now", 0, 60_000_000)))
		checkSums(t, w, w.Took)
		back := (&tasks.WallTimeSummary{Seconds: w.Took.Seconds()}).WallTime()
		if back.Took != w.Took {
			t.Errorf("%s in JSON is %s", w.Took, back.Took)
		}
	})
}

func TestANilMeterMeasuresNothing(t *testing.T) {
	t.Parallel()
	var m *Meter
	m.Refused(1, tasks.TimeLimits, time.Now())
	l := m.Begin(&tasks.Batch{}, &ledger.Gap{})
	l.Enter(tasks.TimeHandler)
	l.End()
	if err := m.Flush(t.Context(), nil); err != nil || m.Changed() != nil {
		t.Error(err)
	}
	m.Close()
}

// A worker that has seen more transfers than it keeps accounts of forgets quiet ones.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMeter(MeterOptions{Worker: "w", Slots: 1, Started: time.Now(), Now: time.Now})
	defer m.Close()
	for id := range int64(mostAccounts + 10) {
		m.Begin(&tasks.Batch{Transfer: id}, &ledger.Gap{}).End()
		if id%1000 == 999 {
			if err := m.Flush(t.Context(), &kept{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(m.accounts) > mostAccounts {
		t.Errorf("it keeps %d accounts", len(m.accounts))
	}
}

func BenchmarkLap(b *testing.B) {
	m := NewMeter(MeterOptions{Worker: "w", Slots: 1, Started: time.Now(), Now: time.Now})
	defer m.Close()
	for b.Loop() {
		l := m.Begin(&tasks.Batch{Transfer: 1, Step: 1}, &ledger.Gap{})
		l.Enter(tasks.TimeSlots)
		l.Enter(tasks.TimeHandler)
		l.Enter(tasks.TimeCommits)
		l.End()
	}
}
