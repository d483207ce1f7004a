package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // images may have no time zones

	"github.com/robfig/cron/v3"

	"github.com/balerhq/baler/tasks"
)

// Expression says when a schedule is due: a cron expression in a time zone.
type Expression struct {
	spec cron.Schedule
	zone *time.Location
	wall bool // it names hours, which the clocks may skip or repeat
}

// Parse reads a cron expression with five fields, or one such as @daily or @every 6h. zone is
// a name such as Europe/Berlin; empty: UTC. An expression that never comes is an error.
func Parse(expression, zone string) (e Expression, err error) {
	if e.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return e, fmt.Errorf("%q is not a time zone; write it as Europe/Berlin or UTC", strings.ToValidUTF8(zone, "\uFFFD"))
	}
	if strings.Contains(expression, "=") {
		return e, errors.New("give the time zone on its own, not within the cron expression")
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	if e.spec, err = parser.Parse(withoutDays(expression)); err != nil {
		return e, fmt.Errorf("%q is not a cron expression; write it as '30 2 * * *' (minute, hour, day, month, day of the week) or @daily: %w",
			strings.ToValidUTF8(expression, "\uFFFD"), err)
	}
	if spec, ok := e.spec.(*cron.SpecSchedule); ok {
		spec.Location = time.UTC
		fields := strings.Fields(expression)
		e.wall = len(fields) == 5 && !strings.HasPrefix(fields[1], "*") || len(fields) == 1 && expression != "@hourly"
		if !e.wall {
			spec.Location = e.zone
		}
	}
	if e.Next(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return e, fmt.Errorf("the time of %q never comes", expression)
	}
	return e, nil
}

// withoutDays writes the time of "@every 2d" as the parser reads it: it knows no days.
func withoutDays(expression string) string {
	const every = "@every "
	if text, ok := strings.CutPrefix(expression, every); ok {
		if d, err := tasks.ParseDuration(text); err == nil {
			return every + d.String()
		}
	}
	return expression
}

// Next is the first time after a time at which the schedule is due; zero: never again.
//
// An hour that the clocks skip in spring is taken as it would have been without the
// change: 02:30 is at 03:30 of the new time. One that they repeat in autumn comes once, the
// first time. Expressions for every hour go by time that has passed instead.
func (e Expression) Next(after time.Time) time.Time {
	if !e.wall {
		return e.spec.Next(after.In(e.zone)).UTC()
	}
	local := after.In(e.zone)
	wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
	wall = wall.Add(-maxShift) // the clocks may have been set since a time that is still to come
	for {
		if wall = e.spec.Next(wall); wall.IsZero() {
			return wall
		}
		if at := instant(wall, e.zone); at.After(after) {
			return at
		}
	}
}

// maxShift is more than clocks are ever set by, but for days that were left out.
const maxShift = 3 * time.Hour

// instant is the first time at which the clocks of a zone show what wall shows; when they
// skip it, it is the time that they would have shown it.
func instant(wall time.Time, zone *time.Location) time.Time {
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	// The larger offset gives the earlier time.
	for _, offset := range []int{max(before, after), min(before, after)} {
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, actual := at.In(zone).Zone(); actual == offset {
			return at
		}
	}
	return wall.Add(-time.Duration(before) * time.Second)
}
