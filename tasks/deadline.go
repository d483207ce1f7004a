package tasks

import (
	"errors"
	"fmt"
	"time"
)

// Deadline is the time at which a transfer ends if it has not ended before, by the clock of
// the database: At, or After from when it is set. The zero value is none.
type Deadline struct {
	After time.Duration // above 0; 0: see At
	At    time.Time
}

// NoDeadline is the text of the zero Deadline.
const NoDeadline = "none"

// MaxDeadline is how far away a deadline is at most.
const MaxDeadline = 10 * 366 * day

var errDeadline = errors.New("give a time from now such as 90m, 6h or 2d, a time such as 2026-05-01T06:00:00Z, or none")

// ParseDeadline reads 6h, 2d, a time of RFC 3339, or none; "" is none.
func ParseDeadline(text string) (d Deadline, err error) {
	if text == "" || text == NoDeadline {
		return d, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return Deadline{At: at.UTC()}, nil
	}
	d.After, err = ParseDuration(text)
	if err != nil || d.After <= 0 || d.After > MaxDeadline {
		return Deadline{}, fmt.Errorf("%.80q is not a deadline: %w", text, errDeadline)
	}
	return d, nil
}

// ParseDeadlineChange is ParseDeadline for a change: an empty text, such as that of a variable that
// is not set, removes no deadline by mistake.
func ParseDeadlineChange(text string) (Deadline, error) {
	if text == "" {
		return Deadline{}, fmt.Errorf("the deadline is empty: %w", errDeadline)
	}
	return ParseDeadline(text)
}

// CheckDeadline reports why a text is not a deadline.
func CheckDeadline(text string) error {
	_, err := ParseDeadline(text)
	return err
}

// CheckRelativeDeadline reports why a text is not a deadline from when a transfer begins.
func CheckRelativeDeadline(text string) error {
	d, err := ParseDeadline(text)
	if err == nil && !d.At.IsZero() {
		err = fmt.Errorf("%.80q is one time: give how long each transfer may take, such as 6h", text)
	}
	return err
}

// String is the text that ParseDeadline reads.
func (d Deadline) String() string {
	switch {
	case !d.At.IsZero():
		return d.At.UTC().Format(time.RFC3339)
	case d.After > 0:
		return d.After.String()
	}
	return NoDeadline
}

// ErrDeadlinePassed says that a deadline was to be set that has passed.
var ErrDeadlinePassed = errors.New("the deadline has passed")

// From returns the time of the deadline that is set now; zero for none. One that has passed is
// an ErrDeadlinePassed.
func (d Deadline) From(now time.Time) (at time.Time, err error) {
	at = d.At
	if d.After > 0 {
		at = now.Add(d.After)
	}
	if !at.IsZero() && !at.After(now) {
		return at, fmt.Errorf("%w: it is %s, and the clock of the database says %s; give a later one, or none",
			ErrDeadlinePassed, at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return at, nil
}

// DescribeDeadline says of the deadline of a transfer, which at describes, what has become of
// it, or how much time is left, which left describes.
func (t *Transfer) DescribeDeadline(now time.Time, at func(time.Time) string, left func(time.Duration) string) string {
	text := at(t.DeadlineAt)
	switch rest := t.DeadlineAt.Sub(now); {
	case t.DeadlineExceeded:
		return text + ", which has canceled it"
	case t.State.Ended():
		return text
	case rest <= 0:
		return text + ", which has passed"
	default:
		return text + ", in " + left(rest)
	}
}
