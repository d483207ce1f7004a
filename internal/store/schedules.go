package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/tasks"
)

type scheduleRow struct {
	Name         string `gorm:"primaryKey"`
	Cron         string
	Zone         string
	Overlap      schedule.Overlap
	Paused       bool
	Paths        []byte // separated by NUL, which no path holds
	Recipe       string
	Queue        string
	Weight       int
	StopAfter    string
	Deadline     string
	CreatedAt    time.Time
	DueAt        time.Time
	AskedAt      *time.Time
	StartingAt   *time.Time
	LastAt       *time.Time
	LastTransfer string
	LastError    string
}

// TableName names the table to GORM.
func (scheduleRow) TableName() string { return "schedules" }

func (r *scheduleRow) schedule() schedule.Schedule {
	return schedule.Schedule{
		Name: r.Name, Cron: r.Cron, Zone: r.Zone, Overlap: r.Overlap, Paused: r.Paused, Paths: strings.Split(string(r.Paths), "\x00"),
		Recipe: r.Recipe, Queue: r.Queue, Weight: r.Weight, StopAfter: r.StopAfter, Deadline: r.Deadline,
		CreatedAt: r.CreatedAt, DueAt: r.DueAt, AskedAt: timeOf(r.AskedAt), StartingAt: timeOf(r.StartingAt),
		LastAt: timeOf(r.LastAt), LastTransfer: r.LastTransfer, LastError: r.LastError,
	}
}

// AddSchedule adds a schedule that is due after now; schedule.ErrTaken when the name is taken.
func (s *Store) AddSchedule(ctx context.Context, a schedule.Schedule) (added schedule.Schedule, err error) {
	when, err := a.Check()
	if err != nil {
		return added, err
	}
	err = s.db.Write(ctx, "add schedule", func(tx *gorm.DB, now time.Time) error {
		row := scheduleRow{
			Name: a.Name, Cron: a.Cron, Zone: a.Zone, Overlap: a.Overlap, Paused: a.Paused, Paths: []byte(strings.Join(a.Paths, "\x00")),
			Recipe: a.Recipe, Queue: a.Queue, Weight: a.Weight, StopAfter: a.StopAfter, Deadline: a.Deadline,
			CreatedAt: now, DueAt: when.Next(now).UTC(),
		}
		added = row.schedule()
		return tx.Create(&row).Error
	})
	if db.IsDuplicate(err) {
		return added, fmt.Errorf("%w: %s", schedule.ErrTaken, a.Name)
	}
	return added, err
}

// Schedules lists all schedules by name.
func (s *Store) Schedules(ctx context.Context) ([]schedule.Schedule, error) {
	var rows []scheduleRow
	if err := s.db.Session(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	return fromRows(rows, (*scheduleRow).schedule), nil
}

// RemoveSchedule removes a schedule. Its transfers stay, and go on.
func (s *Store) RemoveSchedule(ctx context.Context, name string) error {
	return s.changeSchedule(ctx, "remove schedule", name, func(q *gorm.DB, _ *scheduleRow, _ time.Time) error {
		return q.Delete(&scheduleRow{}).Error
	})
}

// PauseSchedule stops a schedule, or lets it go on. Times that came meanwhile are not
// caught up.
func (s *Store) PauseSchedule(ctx context.Context, name string, pause bool) error {
	return s.changeSchedule(ctx, "pause schedule", name, func(q *gorm.DB, row *scheduleRow, now time.Time) error {
		changes := map[string]any{"paused": pause}
		if row.Paused && !pause {
			when, err := schedule.Parse(row.Cron, row.Zone)
			if err != nil {
				return err
			}
			changes["due_at"] = when.Next(now).UTC()
		}
		return q.Updates(changes).Error
	})
}

// AskRun has a schedule run at once, also when it is paused.
func (s *Store) AskRun(ctx context.Context, name string) error {
	return s.changeSchedule(ctx, "run schedule", name, func(q *gorm.DB, row *scheduleRow, now time.Time) error {
		if row.AskedAt != nil {
			return nil // it begins already
		}
		return q.Update("asked_at", now).Error
	})
}

// changeSchedule changes one schedule, or returns schedule.ErrNotFound.
func (s *Store) changeSchedule(
	ctx context.Context, what, name string, change func(q *gorm.DB, row *scheduleRow, now time.Time) error,
) error {
	return s.db.Write(ctx, what, func(tx *gorm.DB, now time.Time) error {
		row, err := takeRow[scheduleRow](tx.Where("name = ?", name), "schedule", fmt.Errorf("%w: %s", schedule.ErrNotFound, name))
		if err != nil {
			return err
		}
		return change(tx.Model(&scheduleRow{}).Where("name = ?", name), &row, now)
	})
}

// BeginRun notes that the run of a due time begins, and when the next one is due. It reports
// false when the schedule was changed, or another process was faster.
func (s *Store) BeginRun(ctx context.Context, a *schedule.Schedule, due, next time.Time) (bool, error) {
	return s.advance(ctx, "begin a scheduled run", a, map[string]any{
		"starting_at": due.UTC(), "last_at": due.UTC(), "due_at": next.UTC(), "asked_at": nil, "last_transfer": "", "last_error": "",
	})
}

// SkipRun leaves out a due time.
func (s *Store) SkipRun(ctx context.Context, a *schedule.Schedule, next time.Time, why string) (bool, error) {
	return s.advance(ctx, "leave out a scheduled run", a, map[string]any{"due_at": next.UTC(), "last_error": why})
}

// advance changes a schedule that is as it was read.
func (s *Store) advance(ctx context.Context, what string, a *schedule.Schedule, changes map[string]any) (done bool, err error) {
	err = s.db.Write(ctx, what, func(tx *gorm.DB, _ time.Time) error {
		q := tx.Model(&scheduleRow{}).Where("name = ? AND created_at = ? AND due_at = ?", a.Name, a.CreatedAt.UTC(), a.DueAt.UTC())
		if a.AskedAt.IsZero() {
			q = q.Where("asked_at IS NULL AND paused = ?", a.Paused)
		} else {
			q = q.Where("asked_at = ?", a.AskedAt.UTC())
		}
		if a.StartingAt.IsZero() {
			q = q.Where("starting_at IS NULL")
		}
		changed := q.Updates(changes)
		done = changed.RowsAffected == 1
		return changed.Error
	})
	return done, err
}

// EndRun notes what became of a run that has begun.
func (s *Store) EndRun(ctx context.Context, a *schedule.Schedule, due time.Time, transfer, problem string) error {
	return s.db.Write(ctx, "end a scheduled run", func(tx *gorm.DB, _ time.Time) error {
		return tx.Model(&scheduleRow{}).Where("name = ? AND created_at = ? AND starting_at = ?", a.Name, a.CreatedAt.UTC(), due.UTC()).
			Updates(map[string]any{"starting_at": nil, "last_transfer": transfer, "last_error": db.ClipText(problem, auditText)}).Error
	})
}

// Unfinished reports whether a transfer has not ended yet.
func (s *Store) Unfinished(ctx context.Context, uuid string) (bool, error) {
	t, err := s.Transfer(ctx, uuid)
	if _, gone := errors.AsType[*tasks.DeletedError](err); gone || errors.Is(err, tasks.ErrTransferNotFound) {
		return false, nil
	}
	return err == nil && !t.State.Ended(), err
}
