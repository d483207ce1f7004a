package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// starts makes transfers as a server does: the same key is the same transfer.
type starts struct {
	b *env

	mu      sync.Mutex
	keys    []string // one for each call
	made    int
	err     error
	problem string
	hold    chan struct{} // a run goes on until it is closed
}

func (s *starts) start(ctx context.Context, a schedule.Schedule, key string) (string, string, error) {
	s.mu.Lock()
	s.keys = append(s.keys, key)
	hold, err := s.hold, s.err
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return "", "", ctx.Err()
		}
	}
	if err != nil {
		return "", "", err
	}
	t, created, err := s.b.Create(ctx, NewTransfer{
		Name: a.Name, Key: key, Via: tasks.ViaBulk, Queue: a.Queue, Recipe: "steps: []", Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}},
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if created {
		s.made++
	}
	return t.UUID, s.problem, err
}

func (s *starts) loop(holder string) *schedule.Launcher {
	return schedule.New(schedule.Options{
		Store: s.b.Store, Start: s.start, Now: s.b.clock.Now, Holder: holder, Log: slog.New(slog.DiscardHandler),
	})
}

// pass looks once, and waits for what begins.
func (s *starts) pass(t *testing.T, l *schedule.Launcher) {
	t.Helper()
	testkit.Must(t, l.Pass(t.Context()))
	l.Wait()
}

func (b *env) scheduled(t *testing.T) schedule.Schedule {
	t.Helper()
	all, err := b.Schedules(t.Context())
	testkit.Must(t, err)
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	return all[0]
}

// hourly is a schedule for each full hour; the clock of the env begins at one.
func (b *env) hourly(t *testing.T, o schedule.Overlap) schedule.Schedule {
	t.Helper()
	s, err := b.AddSchedule(t.Context(), schedule.Schedule{
		Name: "hourly", Cron: "0 * * * *", Overlap: o, Paths: []string{"/data/\xff", "/b"}, Recipe: "default", Queue: "default", Weight: 1,
	})
	testkit.Must(t, err)
	return s
}

func TestSchedulesComeOnceAndCatchUpOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		added := b.hourly(t, schedule.Allow)
		s := &starts{b: b}
		one, other := s.loop("one"), s.loop("other")
		s.pass(t, one)
		if s.made != 0 {
			t.Fatal("it runs before it is due")
		}
		b.clock.Advance(time.Hour)
		for range 3 { // two that both take themselves for the leader
			testkit.Must(t, errors.Join(one.Pass(t.Context()), other.Pass(t.Context())))
		}
		one.Wait()
		other.Wait()
		now := b.scheduled(t)
		if s.made != 1 || !now.LastAt.Equal(added.DueAt) || !now.DueAt.Equal(added.DueAt.Add(time.Hour)) || now.LastTransfer == "" ||
			!now.StartingAt.IsZero() || !slices.Equal(now.Paths, added.Paths) {
			t.Errorf("%d transfers, %+v", s.made, now)
		}
		b.clock.Advance(50 * time.Hour) // nobody ran
		s.pass(t, other)
		s.pass(t, one)
		if now = b.scheduled(t); s.made != 2 || !now.DueAt.After(b.clock.Now()) || now.DueAt.After(b.clock.Now().Add(time.Hour)) {
			t.Errorf("after 50 hours: %d transfers, %+v", s.made, now)
		}
		b.clock.Advance(-3 * time.Hour) // the clock is set back
		s.pass(t, one)
		b.clock.Advance(3 * time.Hour)
		s.pass(t, one)
		if s.made != 2 {
			t.Errorf("after the clock was set back: %d transfers", s.made)
		}
		tr, err := b.Transfer(t.Context(), now.LastTransfer)
		if err != nil || tr.Name != "hourly" {
			t.Errorf("its transfer: %+v, %v", tr, err)
		}
	})
}

// A process that dies while it begins a run leaves it to another, which makes no second
// transfer.
func TestARunThatDiedIsContinued(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		b.hourly(t, schedule.Skip)
		s := &starts{b: b}
		b.clock.Advance(time.Hour)
		a := b.scheduled(t)
		began, err := b.BeginRun(t.Context(), &a, a.DueAt, a.DueAt.Add(time.Hour)) // and then it dies, before
		if err != nil || !began {
			t.Fatal(began, err)
		}
		if began, err = b.BeginRun(t.Context(), &a, a.DueAt, a.DueAt.Add(time.Hour)); err != nil || began {
			t.Fatalf("the same time twice: %v, %v", began, err)
		}
		_, _, err = s.start(t.Context(), a, a.Key(a.DueAt)) // or after it has made the transfer
		testkit.Must(t, err)
		s.pass(t, s.loop("another"))
		now := b.scheduled(t)
		if s.made != 1 || len(s.keys) != 2 || s.keys[0] != s.keys[1] || !now.StartingAt.IsZero() || now.LastTransfer == "" {
			t.Errorf("%d transfers for the keys %q: %+v", s.made, s.keys, now)
		}
	})
}

func TestRunsThatOverlap(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		for overlap, want := range map[schedule.Overlap]struct{ meanwhile, after int }{
			schedule.Skip: {1, 1}, schedule.Queue: {1, 2}, schedule.Allow: {2, 2},
		} {
			added := b.hourly(t, overlap)
			s := &starts{b: b}
			l := s.loop("one")
			b.clock.Advance(time.Hour)
			s.pass(t, l)
			b.clock.Advance(time.Hour)
			s.pass(t, l)
			if s.made != want.meanwhile {
				t.Errorf("%s: %d transfers while the first runs, want %d", overlap, s.made, want.meanwhile)
			}
			now := b.scheduled(t)
			if skipped := now.LastError == "left out: the run before had not ended"; skipped != (overlap == schedule.Skip) {
				t.Errorf("%s: it says %q", overlap, now.LastError)
			}
			first, err := b.Transfer(t.Context(), now.LastTransfer)
			testkit.Must(t, err)
			_, err = b.Cancel(t.Context(), first.ID)
			testkit.Must(t, err)
			s.pass(t, l)
			if s.made != want.after {
				t.Errorf("%s: %d transfers after the first has ended, want %d", overlap, s.made, want.after)
			}
			testkit.Must(t, b.RemoveSchedule(t.Context(), added.Name))
		}
	})
}

// A run that takes long, as one that compares files, is one run.
func TestALongRunIsNotBegunTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		b.hourly(t, schedule.Queue)
		s := &starts{b: b, hold: make(chan struct{}), problem: "3 files are damaged"}
		l := s.loop("one")
		b.clock.Advance(time.Hour)
		testkit.Must(t, l.Pass(t.Context()))
		b.clock.Advance(90 * time.Minute)
		for range 3 {
			testkit.Must(t, l.Pass(t.Context()))
		}
		close(s.hold)
		l.Wait()
		if now := b.scheduled(t); len(s.keys) != 1 || now.LastError != "3 files are damaged" {
			t.Errorf("it began %d times: %+v", len(s.keys), now)
		}
	})
}

func TestRunsThatFail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		b.hourly(t, schedule.Skip)
		s := &starts{b: b, err: fmt.Errorf("%w: the queue is away", schedule.ErrAgain)}
		l := s.loop("one")
		b.clock.Advance(time.Hour)
		s.pass(t, l)
		s.pass(t, l)
		if now := b.scheduled(t); len(s.keys) != 2 || now.StartingAt.IsZero() {
			t.Errorf("an outage is not waited for: %q, %+v", s.keys, now)
		}
		s.err = errors.New("there is no /data")
		s.pass(t, l)
		s.pass(t, l)
		if now := b.scheduled(t); len(s.keys) != 3 || !now.StartingAt.IsZero() || now.LastError != "there is no /data" || now.LastTransfer != "" {
			t.Errorf("a run that cannot be: %d tries, %+v", len(s.keys), now)
		}
		s.err = nil
		b.clock.Advance(time.Hour)
		s.pass(t, l)
		if now := b.scheduled(t); s.made != 1 || now.LastError != "" {
			t.Errorf("the next run: %d transfers, %+v", s.made, now)
		}
	})
}

func TestSchedulesArePausedAskedAndRemoved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		added := b.hourly(t, schedule.Allow)
		_, err := b.AddSchedule(ctx, added)
		wantErr(t, err, schedule.ErrTaken)
		s := &starts{b: b}
		l := s.loop("one")
		testkit.Must(t, b.PauseSchedule(ctx, "hourly", true))
		b.clock.Advance(5 * time.Hour)
		s.pass(t, l)
		if s.made != 0 {
			t.Error("a paused schedule runs")
		}
		testkit.Must(t, b.AskRun(ctx, "hourly"))
		testkit.Must(t, b.AskRun(ctx, "hourly"))
		s.pass(t, l)
		s.pass(t, l)
		if s.made != 1 {
			t.Errorf("asked for twice before it begins, it runs %d times", s.made)
		}
		testkit.Must(t, b.PauseSchedule(ctx, "hourly", false))
		s.pass(t, l)
		if s.made != 1 {
			t.Error("what came while it was paused is caught up")
		}
		b.clock.Advance(time.Hour)
		s.pass(t, l)
		testkit.Must(t, b.RemoveSchedule(ctx, "hourly"))
		b.clock.Advance(time.Hour)
		s.pass(t, l)
		if s.made != 2 {
			t.Errorf("%d transfers", s.made)
		}
		for _, err := range []error{b.RemoveSchedule(ctx, "hourly"), b.PauseSchedule(ctx, "hourly", true), b.AskRun(ctx, "hourly")} {
			wantErr(t, err, schedule.ErrNotFound)
		}
		again := b.hourly(t, schedule.Allow)
		if again.Key(again.DueAt) == added.Key(again.DueAt) {
			t.Error("a new schedule of the same name has the keys of the old one")
		}
	})
}

// One process leads, until it ends; then another does.
func TestOneProcessRunsSchedules(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		b.hourly(t, schedule.Allow)
		b.clock.Advance(time.Hour)
		s := &starts{b: b}
		for i := range 2 {
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.loop(fmt.Sprint("process ", i)).Run(ctx) }()
			testkit.Eventually(t, time.Minute, func() error {
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.made != i+1 {
					return fmt.Errorf("%d transfers", s.made)
				}
				return nil
			})
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			b.clock.Advance(time.Hour)
		}
		if n := b.count(t, "leases", "name = 'schedules'"); n != 0 {
			t.Error("the lease is not released")
		}
	})
}
