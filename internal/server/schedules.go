package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// AddSchedule adds a schedule. Its recipe is a name that this process knows; empty: the
// default one. Its paths are absolute, and lie within the roots when they are set here.
func (b *Backend) AddSchedule(ctx context.Context, s schedule.Schedule) (schedule.Schedule, error) {
	if s.Overlap == "" {
		s.Overlap = schedule.Skip
	}
	if s.Recipe == "" {
		s.Recipe = recipe.Default
	}
	if s.Queue == "" {
		s.Queue = ingest.DefaultQueue
	}
	s.Weight = max(s.Weight, 1)
	if _, err := s.Check(); err != nil {
		return s, &api.RequestError{Err: err}
	}
	if err := tasks.CheckRelativeDeadline(s.Deadline); err != nil {
		return s, &api.RequestError{Field: "deadline", Err: err}
	}
	r, err := b.loadRecipe(ctx, &api.SubmissionRequest{Recipe: s.Recipe})
	if err != nil {
		return s, err
	}
	if r.Fixity && s.Overlap == schedule.Allow {
		return s, &api.RequestError{
			Field: "overlap", Err: errors.New("two runs that compare the same files cannot overlap; give skip or queue"),
		}
	}
	sub := ingest.TransferRequest{
		Paths: s.Paths, Recipe: r, Name: s.Name, Queue: s.Queue, Weight: s.Weight,
		StopAfter: s.StopAfter, Deadline: s.Deadline,
	}
	if err := b.checkSchedulePaths(&sub); err != nil {
		return s, err
	}
	added, err := b.Store.AddSchedule(ctx, s)
	if errors.Is(err, schedule.ErrTaken) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return added, err
}

// checkSchedulePaths checks paths as far as this process can: another one may run the schedule.
func (b *Backend) checkSchedulePaths(sub *ingest.TransferRequest) error {
	if len(b.Readable) > 0 {
		_, err := b.sources(sub)
		return err
	}
	for _, p := range sub.Paths {
		if !filepath.IsAbs(p) {
			return &api.RequestError{Field: "paths", Err: fmt.Errorf("%q is not an absolute path", p)}
		}
	}
	if _, err := b.Ingester.Sources(sub); err != nil {
		return &api.RequestError{Err: err}
	}
	return nil
}

// Schedules lists the schedules by name.
func (b *Backend) Schedules(ctx context.Context) ([]schedule.Schedule, error) {
	return b.Store.Schedules(ctx)
}

// RemoveSchedule removes a schedule; its transfers stay.
func (b *Backend) RemoveSchedule(ctx context.Context, name string) error {
	return b.Store.RemoveSchedule(ctx, name)
}

// PauseSchedule stops a schedule, or lets it go on with the next due time.
func (b *Backend) PauseSchedule(ctx context.Context, name string, pause bool) error {
	return b.Store.PauseSchedule(ctx, name, pause)
}

// RunSchedule has a server or a worker run a schedule within seconds.
func (b *Backend) RunSchedule(ctx context.Context, name string) error {
	return b.Store.AskRun(ctx, name)
}

// StartSchedules runs what is scheduled, and registers its files, until the returned
// function is called, which waits for the end.
func (b *Backend) StartSchedules(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { _ = b.registrar.Run(ctx) })      // it ends with its context and logs its errors
	background.Go(func() { _ = b.scheduleLoop().Run(ctx) }) // as above
	return func() {
		cancel()
		background.Wait()
	}
}

func (b *Backend) scheduleLoop() *schedule.Launcher {
	return schedule.New(schedule.Options{Store: b.Store, Start: b.startScheduled, Now: b.Now, Holder: b.Name, Log: b.Log})
}

// startScheduled implements schedule.Starter.
func (b *Backend) startScheduled(ctx context.Context, s schedule.Schedule, key string) (transfer, problem string, err error) {
	entry := audit.Entry{Who: "schedule " + s.Name, Action: "submit a transfer", Target: s.Name}
	err = audit.Record(ctx, b.Store, b.Log, entry, func() (string, string, error) {
		transfer, problem, err = b.submitScheduled(ctx, &s, key)
		return transfer, problem, err
	})
	return transfer, problem, again(err)
}

func (b *Backend) submitScheduled(ctx context.Context, s *schedule.Schedule, key string) (transfer, problem string, err error) {
	sub := api.SubmissionRequest{
		Paths: s.Paths, Recipe: s.Recipe, Name: s.Name, Queue: s.Queue, Weight: s.Weight,
		StopAfter: s.StopAfter, Deadline: s.Deadline, IdempotencyKey: key,
	}
	r, err := b.loadRecipe(ctx, &sub)
	if err != nil {
		return "", "", err
	}
	if r.Fixity {
		return b.compareFixity(ctx, &sub, r)
	}
	t, _, err := b.Submit(ctx, sub)
	return t.UUID, "", err
}

// again marks errors that may go away.
func again(err error) error {
	_, unattended := errors.AsType[*tasks.UnattendedError](err)
	if err != nil && (db.IsOutage(err) || unattended || errors.Is(err, context.Canceled)) {
		return fmt.Errorf("%w: %w", schedule.ErrAgain, err)
	}
	return err
}

// compareFixity compares files with earlier transfers, while the workers process them.
func (b *Backend) compareFixity(ctx context.Context, s *api.SubmissionRequest, r *recipe.Recipe) (transfer, problem string, err error) {
	sub := ingest.TransferRequest{
		Paths: s.Paths, Recipe: r, Name: s.Name, Queue: s.Queue, Weight: s.Weight,
		StopAfter: s.StopAfter, Deadline: s.Deadline,
	}
	if _, err := b.sources(&sub); err != nil {
		return "", "", err
	}
	return b.RunFixity(ctx, sub)
}
