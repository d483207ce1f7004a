package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
)

// sparkSlots is how many slots of time a sparkline shows: ten minutes.
const sparkSlots = 60

// spark is a small chart of columns, one a slot, 20 units high.
type spark struct {
	Columns       int
	Path, BadPath string
	Text          string
}

// sparkOf draws the results of the last minutes before now; nothing when there are none.
func sparkOf(activity []ledger.Activity, now time.Time) (s spark) {
	last := ledger.SlotOf(now)
	var results, failed [sparkSlots]int64
	var total, bad, most int64
	for i := range activity {
		a := &activity[i]
		at := sparkSlots - 1 - (last - a.Slot)
		if at < 0 || at >= sparkSlots {
			continue // a clock differs
		}
		results[at], failed[at] = a.Results, a.Failed
		total, bad, most = total+a.Results, bad+a.Failed, max(most, a.Results)
	}
	if total == 0 {
		return s
	}
	s.Columns = sparkSlots
	s.Path, s.BadPath = columns(results[:], most, 20), columns(failed[:], most, 20)
	s.Text = quantity(total, "result") + " in the last 10 minutes"
	if bad > 0 {
		s.Text += ", " + humanize.Comma(bad) + " failed"
	}
	return s
}

// columns is the outline of columns that are 1 wide, of which the highest value is as high
// as given.
func columns[T int64 | float64](values []T, most T, height float64) string {
	var b strings.Builder
	for i, v := range values {
		if v <= 0 {
			continue
		}
		h := max(float64(v)/float64(most)*height, 1)
		fmt.Fprintf(&b, "M%d %sV%sh.85V%sz", i, number(height), number(math.Round((height-h)*100)/100), number(height))
	}
	return b.String()
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// speedOf is how many files a second have finished in the last minute; 0 when none has.
func speedOf(activity []ledger.Activity, now, began time.Time) float64 {
	const slots = 6
	last := ledger.SlotOf(now)
	var finished int64
	for i := range activity {
		if ago := last - activity[i].Slot; ago >= 0 && ago <= slots {
			finished += activity[i].Finished
		}
	}
	// The current slot has not ended, and the transfer may be younger than a minute.
	span := slots*ledger.SlotLength + now.Sub(time.Unix(last*int64(ledger.SlotLength/time.Second), 0))
	span = min(span, now.Sub(began))
	if finished == 0 || span < time.Second {
		return 0
	}
	return float64(finished) / span.Seconds()
}
