package tasks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// StopAfter says after how many failures a transfer stops, until a person resumes it. The
// zero value never stops it.
//
// With Count it stops when its steps together have that many failures. With Share it stops
// when more than that many percent of the results of one step are failures. A step with
// fewer than 100 results counts as one with 100, and one failure alone stops no transfer:
// so at 5% it takes 6 failures to stop a transfer whose step has up to 100 results.
// What was counted when a person resumed the transfer last is left out.
type StopAfter struct {
	Count int64
	Share float64 // in percent, above 0 and below 100
}

// stopSample is how many results a step counts as having at least.
const stopSample = 100

// NoStop is the text of the zero StopAfter.
const NoStop = "none"

var errStopAfter = errors.New(`give a share of failures such as 5%, a number of failures such as 100, or none`)

// ParseStopAfter reads 5%, 100 or none; "" is none.
func ParseStopAfter(text string) (s StopAfter, err error) {
	if text == "" || text == NoStop {
		return s, nil
	}
	if share, ok := strings.CutSuffix(text, "%"); ok {
		s.Share, err = strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(s.Share > 0 && s.Share < 100) || len(s.String()) > maxStopAfter {
			return StopAfter{}, fmt.Errorf("%q is not above 0%% and below 100%%: %w", text, errStopAfter)
		}
		return s, nil
	}
	s.Count, err = strconv.ParseInt(text, 10, 64)
	if err != nil || s.Count < 1 {
		return StopAfter{}, fmt.Errorf("%q is not a limit of failures: %w", text, errStopAfter)
	}
	return s, nil
}

// maxStopAfter is how long the text of a limit is at most: the size of the column.
const maxStopAfter = 32

// String is the text that ParseStopAfter reads.
func (s StopAfter) String() string {
	switch {
	case s.Count > 0:
		return strconv.FormatInt(s.Count, 10)
	case s.Share > 0:
		return strconv.FormatFloat(s.Share, 'f', -1, 64) + "%"
	}
	return NoStop
}

// Reached says why a transfer whose steps have these counts stops; empty: it does not.
func (s StopAfter) Reached(steps []StepProgress) string {
	var all int64
	for i := range steps {
		p := &steps[i]
		failures, results := p.Failures(), p.Total()
		all += failures
		if s.Share > 0 && failures > 1 && float64(failures)*100 > s.Share*float64(max(results, stopSample)) {
			return fmt.Sprintf("%d of %d results of step %s are failures, and it stops after %s", failures, results, p.Name, s)
		}
	}
	if s.Count == 1 && all == 1 {
		return "1 result is a failure, and it stops after 1"
	}
	if s.Count > 0 && all >= s.Count {
		return fmt.Sprintf("%d results are failures, and it stops after %s", all, s)
	}
	return ""
}
