package baler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/recipe"
)

// Schedule is a transfer that servers and workers make again and again.
type Schedule = schedule.Schedule

// ScheduleOverlap says what to do at a due time while the run before goes on.
type ScheduleOverlap = schedule.Overlap

// The policies.
const (
	OverlapSkip  = schedule.Skip  // leave the run out
	OverlapQueue = schedule.Queue // begin it when the one before has ended
	OverlapAllow = schedule.Allow // begin it beside the other
)

// Errors of schedules.
var (
	ErrScheduleTaken    = schedule.ErrTaken
	ErrScheduleNotFound = schedule.ErrNotFound
)

// AddSchedule adds a schedule. Its recipe is a name that this process knows; empty: the
// default one. Its paths are absolute, and lie within the roots when they are set here.
func (b *Baler) AddSchedule(ctx context.Context, s Schedule) (Schedule, error) {
	h := &httpFace{Baler: b}
	if s.Overlap == "" {
		s.Overlap = OverlapSkip
	}
	if s.Recipe == "" {
		s.Recipe = DefaultRecipe
	}
	if s.Queue == "" {
		s.Queue = DefaultQueue
	}
	s.Weight = max(s.Weight, 1)
	if _, err := s.Check(); err != nil {
		return s, &api.RequestError{Err: err}
	}
	r, err := h.loadRecipe(ctx, &api.SubmissionRequest{Recipe: s.Recipe})
	if err != nil {
		return s, err
	}
	if r.Fixity && s.Overlap == OverlapAllow {
		return s, &api.RequestError{
			Field: "overlap", Err: errors.New("two runs that compare the same files cannot overlap; give skip or queue"),
		}
	}
	sub := ingest.TransferRequest{Paths: s.Paths, Recipe: r, Name: s.Name, Queue: s.Queue, Weight: s.Weight, StopAfter: s.StopAfter, Deadline: s.Deadline}
	if err := h.checkSchedulePaths(&sub); err != nil {
		return s, err
	}
	added, err := b.store.AddSchedule(ctx, s)
	if errors.Is(err, schedule.ErrTaken) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return added, err
}

// checkSchedulePaths checks paths as far as this process can: another one may run the schedule.
func (h *httpFace) checkSchedulePaths(sub *ingest.TransferRequest) error {
	if len(h.cfg.Roots) > 0 {
		_, err := h.sources(sub)
		return err
	}
	for _, p := range sub.Paths {
		if !filepath.IsAbs(p) {
			return &api.RequestError{Field: "paths", Err: fmt.Errorf("%q is not an absolute path", p)}
		}
	}
	if _, err := h.ingester.Sources(sub); err != nil {
		return &api.RequestError{Err: err}
	}
	return nil
}

// Schedules lists the schedules by name.
func (b *Baler) Schedules(ctx context.Context) ([]Schedule, error) { return b.store.Schedules(ctx) }

// RemoveSchedule removes a schedule. Its transfers stay, and go on.
func (b *Baler) RemoveSchedule(ctx context.Context, name string) error {
	return b.store.RemoveSchedule(ctx, name)
}

// PauseSchedule stops a schedule, or lets it go on with the next due time.
func (b *Baler) PauseSchedule(ctx context.Context, name string, pause bool) error {
	return b.store.PauseSchedule(ctx, name, pause)
}

// RunSchedule has a server or a worker run a schedule within seconds, also when it is paused.
func (b *Baler) RunSchedule(ctx context.Context, name string) error { return b.store.AskRun(ctx, name) }

// startSchedules runs what is scheduled, and registers its files, until the returned
// function is called, which waits for the end.
func (b *Baler) startSchedules(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	face := &httpFace{Baler: b, registrar: ingest.NewServerRegistrar(b.ingester, b.outputFiles)}
	var background sync.WaitGroup
	background.Go(func() { _ = face.registrar.Run(ctx) })      // it ends with its context and logs its errors
	background.Go(func() { _ = face.scheduleLoop().Run(ctx) }) // as above
	return func() {
		cancel()
		background.Wait()
	}
}

func (h *httpFace) scheduleLoop() *schedule.Launcher {
	return schedule.New(schedule.Options{Store: h.store, Start: h.startScheduled, Now: h.now, Holder: h.cfg.Worker.Name, Log: h.log})
}

// startScheduled implements schedule.Starter.
func (h *httpFace) startScheduled(ctx context.Context, s schedule.Schedule, key string) (transfer, problem string, err error) {
	line, err := h.store.AddAudit(ctx, audit.Entry{
		Who: "schedule " + s.Name, From: hostName(), Action: "submit a transfer", Target: s.Name, Result: audit.Begun,
	})
	if err != nil {
		return "", "", again(err)
	}
	sub := api.SubmissionRequest{
		Paths: s.Paths, Recipe: s.Recipe, Name: s.Name, Queue: s.Queue, Weight: s.Weight,
		StopAfter: s.StopAfter, Deadline: s.Deadline, IdempotencyKey: key,
	}
	r, err := h.loadRecipe(ctx, &sub)
	switch {
	case err != nil:
	case r.Fixity:
		transfer, problem, err = h.runFixity(ctx, &sub, r)
	default:
		t, _, submitted := h.Submit(ctx, sub)
		transfer, err = t.UUID, submitted
	}
	result, detail := audit.Done, problem
	if err != nil {
		result, detail = audit.Failed, err.Error()
	}
	if noted := h.store.FinishAudit(context.WithoutCancel(ctx), line, result, transfer, detail); noted != nil {
		h.log.WarnContext(ctx, "a line of the audit log lacks its result", "line", line, "error", noted)
	}
	return transfer, problem, again(err)
}

// again marks errors that may go away.
func again(err error) error {
	_, unattended := errors.AsType[*UnattendedError](err)
	if err != nil && (db.IsOutage(err) || unattended || errors.Is(err, context.Canceled)) {
		return fmt.Errorf("%w: %w", schedule.ErrAgain, err)
	}
	return err
}

// runFixity compares files with earlier transfers, while the workers process them.
func (h *httpFace) runFixity(ctx context.Context, s *api.SubmissionRequest, r *recipe.Recipe) (transfer, problem string, err error) {
	sub := ingest.TransferRequest{Paths: s.Paths, Recipe: r, Name: s.Name, Queue: s.Queue, Weight: s.Weight, StopAfter: s.StopAfter, Deadline: s.Deadline}
	if _, err := h.sources(&sub); err != nil {
		return "", "", err
	}
	ran, err := h.runBesideWorkers(ctx, Submission(sub))
	if err != nil {
		return "", "", err
	}
	if f := ran.Fixity; f != nil && f.Bad() {
		problem = fmt.Sprintf("damaged files: %d, missing: %d, unreadable: %d", f.Damaged, f.Missing, f.Unread)
	}
	return ran.Transfer.UUID, problem, nil
}

func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "this host"
	}
	return host
}
