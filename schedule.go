package baler

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/internal/worker"
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
	return b.backend().AddSchedule(ctx, s)
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

// runBesideWorkers does a scheduled run with a fixity recipe, in a process that leaves the work
// to workers.
func (b *Baler) runBesideWorkers(ctx context.Context, s ingest.TransferRequest) (transfer, problem string, err error) {
	leave := func(ctx context.Context, _ worker.FinalOptions, _ *recipe.Recipe, do func(context.Context) error) error {
		return do(ctx)
	}
	ran, err := b.run(ctx, Submission(s), leave)
	if err != nil {
		return "", "", err
	}
	if f := ran.Fixity; f != nil && f.Bad() {
		problem = fmt.Sprintf("damaged files: %d, missing: %d, unreadable: %d", f.Damaged, f.Missing, f.Unread)
	}
	return ran.Transfer.UUID, problem, nil
}
