package baler

import (
	"context"

	"github.com/balerhq/baler/internal/schedule"
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
