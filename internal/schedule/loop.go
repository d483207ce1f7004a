package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
)

// Store keeps schedules.
type Store interface {
	Schedules(ctx context.Context) ([]Schedule, error)

	// BeginRun notes that the run of a due time begins, and when the next one is due. It
	// reports false when the schedule was changed, or another process was faster.
	BeginRun(ctx context.Context, s *Schedule, due, next time.Time) (bool, error)

	// SkipRun leaves out a due time. It reports false as BeginRun does.
	SkipRun(ctx context.Context, s *Schedule, next time.Time, why string) (bool, error)

	// EndRun notes what became of a run that has begun.
	EndRun(ctx context.Context, s *Schedule, due time.Time, transfer, problem string) error

	// Unfinished reports whether a transfer has not ended yet.
	Unfinished(ctx context.Context, transfer string) (bool, error)

	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// StartFunc makes the transfer of a schedule. It returns the same one when the same key comes
// again. An error that wraps ErrAgain may go away: the run is tried again. problem is what a
// run has found that somebody must look at.
type StartFunc func(ctx context.Context, s Schedule, key string) (transfer, problem string, err error)

// ErrAgain says that a run is to be tried again.
var ErrAgain = errors.New("the run is tried again")

// Options configure a Launcher.
type Options struct {
	Store  Store
	Start  StartFunc
	Now    func() time.Time // the database's time
	Holder string           // name of this process, unique
	Log    *slog.Logger
}

const (
	leaseName = "schedules"
	leaseTime = 20 * time.Second
	lookEvery = 2 * time.Second
)

// Launcher starts what is due.
type Launcher struct {
	o     Options
	watch *outage.Watch

	runs sync.WaitGroup
	mu   sync.Mutex
	busy map[string]bool // the schedules whose runs this process begins
}

// New makes a Launcher; Run starts it.
func New(o Options) *Launcher {
	return &Launcher{o: o, watch: outage.New(o.Log, outage.Database, "start what is scheduled"), busy: make(map[string]bool)}
}

// Run starts what is due until ctx ends. Runs that have begun and are not handed over are
// continued by another process, or by this one when it runs again.
func (l *Launcher) Run(ctx context.Context) error {
	leading, resign := context.WithCancel(ctx)
	held := false
	var renewAt time.Time
	sleep.Every(ctx, lookEvery, func() {
		leads := held
		if now := time.Now(); !now.Before(renewAt) {
			var err error
			leads, err = l.o.Store.AcquireLease(ctx, leaseName, l.o.Holder, leaseTime)
			if l.watch.Done(ctx, err) != nil {
				return // whether it still leads is unknown; runs that two processes begin have one key
			}
			renewAt = now.Add(leaseTime / 3)
		}
		if held && !leads {
			resign()
			l.runs.Wait()
			leading, resign = context.WithCancel(ctx) //nolint:fatcontext // it is the parent of every one
		}
		if held = leads; held {
			_ = l.watch.Done(ctx, l.Pass(leading)) // it logs outages
		}
	})
	resign()
	l.runs.Wait()
	if held {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTime/10)
		defer cancel()
		if err := l.o.Store.ReleaseLease(ending, leaseName, l.o.Holder); err != nil {
			l.o.Log.WarnContext(ending, "schedules: the lease is not released, it expires by itself", "error", err)
		}
	}
	return ctx.Err()
}

// Pass looks at all schedules once. Runs continue after it returns; see Wait.
func (l *Launcher) Pass(ctx context.Context) error {
	all, err := l.o.Store.Schedules(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if err := l.look(ctx, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// Wait returns when the runs that this Launcher has begun are handed over.
func (l *Launcher) Wait() { l.runs.Wait() }

func (l *Launcher) look(ctx context.Context, s *Schedule) error {
	if l.isBusy(s.Name) {
		return l.lookAtOverlap(ctx, s)
	}
	if !s.StartingAt.IsZero() { // its process has died, or could not finish
		l.begin(ctx, *s, s.StartingAt)
		return nil
	}
	now := l.o.Now()
	due := s.due(now)
	if due.IsZero() {
		return nil
	}
	next, err := s.next(now)
	if err != nil {
		l.o.Log.ErrorContext(ctx, "a schedule cannot be read", "schedule", s.Name, "error", err)
		return nil // it does not keep the others from running
	}
	if s.Overlap != Allow && s.LastTransfer != "" {
		unfinished, err := l.o.Store.Unfinished(ctx, s.LastTransfer)
		if err != nil {
			return err
		}
		if unfinished {
			return l.overlap(ctx, s, due, next)
		}
	}
	began, err := l.o.Store.BeginRun(ctx, s, due, next)
	if err != nil || !began {
		return err
	}
	l.begin(ctx, *s, due)
	return nil
}

// lookAtOverlap skips a time that comes while the run before begins.
func (l *Launcher) lookAtOverlap(ctx context.Context, s *Schedule) error {
	now := l.o.Now()
	due := s.due(now)
	if due.IsZero() {
		return nil
	}
	next, err := s.next(now)
	if err != nil {
		return nil //nolint:nilerr // look logs it
	}
	return l.overlap(ctx, s, due, next)
}

// overlap does what the policy says while the run before goes on. What somebody has asked
// for waits.
func (l *Launcher) overlap(ctx context.Context, s *Schedule, due, next time.Time) error {
	if s.Overlap != Skip || due.Equal(s.AskedAt) {
		return nil
	}
	skipped, err := l.o.Store.SkipRun(ctx, s, next, "left out: the run before had not ended")
	if err == nil && skipped {
		l.o.Log.WarnContext(ctx, "a scheduled run is left out: the one before has not ended",
			"schedule", s.Name, "due", due, "transfer", s.LastTransfer)
	}
	return err
}

// due is the time whose run is to begin now; zero: none.
func (s *Schedule) due(now time.Time) time.Time {
	if !s.AskedAt.IsZero() {
		return s.AskedAt
	}
	if s.Paused || s.DueAt.After(now) {
		return time.Time{}
	}
	return s.DueAt
}

// next is when the schedule is due after what is due now: times that were missed come once.
// What somebody has asked for changes no due time.
func (s *Schedule) next(now time.Time) (time.Time, error) {
	if !s.AskedAt.IsZero() {
		return s.DueAt, nil
	}
	e, err := Parse(s.Cron, s.Zone)
	if err != nil {
		return time.Time{}, err
	}
	next := e.Next(now)
	if next.IsZero() {
		next = now.AddDate(100, 0, 0) // never again
	}
	return next, nil
}

// begin makes the transfer of a run beside the others: some take long.
func (l *Launcher) begin(ctx context.Context, s Schedule, due time.Time) {
	l.setBusy(s.Name, true)
	l.runs.Go(func() {
		defer l.setBusy(s.Name, false)
		log := l.o.Log.With("schedule", s.Name, "due", due)
		transfer, problem, err := l.o.Start(ctx, s, s.Key(due))
		switch {
		case ctx.Err() != nil:
			return // another process continues it
		case errors.Is(err, ErrAgain):
			log.Log(ctx, outage.Level(err), "a scheduled run is tried again", "error", err)
			return
		case err != nil:
			problem = err.Error()
			log.ErrorContext(ctx, "a scheduled run did not go well", "error", err)
		case problem != "":
			log.WarnContext(ctx, "a scheduled run has found something", "transfer", transfer, "problem", problem)
		default:
			log.InfoContext(ctx, "a scheduled run has begun", "transfer", transfer)
		}
		if err := l.o.Store.EndRun(ctx, &s, due, transfer, problem); err != nil {
			log.WarnContext(ctx, "a scheduled run is tried again: its end is not noted", "error", err)
		}
	})
}

func (l *Launcher) isBusy(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy[name]
}

func (l *Launcher) setBusy(name string, busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if busy {
		l.busy[name] = true
		return
	}
	delete(l.busy, name)
}
