// Package schedule starts transfers at the times of cron expressions.
//
// Any number of processes may run a Launcher on one database; the leader among them starts
// what is due. Each due time starts one transfer, whichever process dies meanwhile. Runs
// that were missed, because no process ran, are caught up once.
package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/accounts"
)

// Schedule is a transfer to be made again and again.
type Schedule struct {
	Name    string
	Cron    string
	Zone    string
	Overlap Overlap
	Paused  bool

	Paths  []string
	Recipe string
	Queue  string
	Weight int

	Deadline  string // how long a run may take, such as 6h; empty: what the recipe says
	StopAfter string // see tasks.ParseStopAfter; empty: what the recipe says

	CreatedAt    time.Time
	DueAt        time.Time // the next time
	AskedAt      time.Time // when somebody has asked for a run at once that has not begun; zero: nobody
	StartingAt   time.Time // the due time of a run that has begun, and is not handed over; zero: none
	LastAt       time.Time // the due time of the last run; zero: none
	LastTransfer string    // its id; empty: none
	LastError    string    // why the last run did not begin, or what it found; empty: all is well
}

// Overlap says what to do at a due time while the run before goes on.
type Overlap string

// The policies.
const (
	Skip  Overlap = "skip"  // leave the run out
	Queue Overlap = "queue" // begin it when the one before has ended
	Allow Overlap = "allow" // begin it beside the other
)

// Overlaps lists the policies.
func Overlaps() []Overlap { return []Overlap{Skip, Queue, Allow} }

// Errors of schedules.
var (
	ErrTaken    = errors.New("there is a schedule of this name")
	ErrNotFound = errors.New("no such schedule")
)

// Check reports why a schedule cannot be used, and returns when it is due.
func (s *Schedule) Check() (Expression, error) {
	if err := accounts.CheckName(s.Name); err != nil {
		return Expression{}, err
	}
	if !slices.Contains(Overlaps(), s.Overlap) {
		return Expression{}, fmt.Errorf("%q is no way to overlap; give skip, queue or allow", s.Overlap)
	}
	if len(s.Paths) == 0 {
		return Expression{}, errors.New("a schedule needs paths")
	}
	return Parse(s.Cron, s.Zone)
}

// Key is the idempotency key of a run, so that one due time makes one transfer.
func (s *Schedule) Key(due time.Time) string {
	return fmt.Sprintf("schedule:%s:%d:%d", s.Name, s.CreatedAt.UnixMicro(), due.UnixMicro())
}
