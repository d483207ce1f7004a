package cli

import (
	"context"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
)

// Schedules implements schedules.
func (r *remote) Schedules(ctx context.Context) ([]baler.Schedule, error) {
	found, err := r.Client.Schedules(ctx)
	all := make([]baler.Schedule, len(found))
	for i := range found {
		all[i] = scheduleOf(&found[i])
	}
	return all, err
}

// AddSchedule implements schedules.
func (r *remote) AddSchedule(ctx context.Context, s baler.Schedule) (baler.Schedule, error) {
	if err := checkRemotePaths(s.Paths); err != nil {
		return s, err
	}
	added, err := r.Client.AddSchedule(ctx, &client.Schedule{
		Name: s.Name, Cron: s.Cron, Zone: s.Zone, Overlap: string(s.Overlap), Paths: s.Paths, Recipe: s.Recipe,
		Queue: s.Queue, Weight: s.Weight, StopAfter: s.StopAfter, Deadline: s.Deadline,
	})
	return scheduleOf(&added), err
}

func scheduleOf(s *client.Schedule) baler.Schedule {
	of := baler.Schedule{
		Name: s.Name, Cron: s.Cron, Zone: s.Zone, Overlap: baler.ScheduleOverlap(s.Overlap), Paused: s.Paused, Paths: s.Paths, Recipe: s.Recipe,
		Queue: s.Queue, Weight: s.Weight, StopAfter: s.StopAfter, Deadline: s.Deadline, CreatedAt: s.CreatedAt, DueAt: s.DueAt,
		LastTransfer: s.LastTransfer, LastError: s.LastError,
	}
	if s.LastAt != nil {
		of.LastAt = *s.LastAt
	}
	return of
}
