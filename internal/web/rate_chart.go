package web

import (
	"math"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
)

// chartColumns is about how many columns a chart over time has.
const chartColumns = 120

// chart is columns over time.
type chart struct {
	Columns       int
	Path, BadPath string
	Most          string // what the highest column stands for
	From, Till    string
	Text          string
}

// chartHeight is the height of the drawing in units.
const chartHeight = 100

// ratesOf draws results and bytes a second. There is one column a slot, or for long times
// one for several.
func ratesOf(activity []ledger.Activity) (results, bytes chart) {
	if len(activity) == 0 {
		return results, bytes
	}
	first, last := activity[0].Slot, activity[len(activity)-1].Slot
	step := (last-first)/chartColumns + 1
	n := int((last-first)/step) + 1
	done, failed, read := make([]int64, n), make([]int64, n), make([]int64, n)
	var total int64
	for i := range activity {
		a := &activity[i]
		at := (a.Slot - first) / step
		done[at] += a.Results
		failed[at] += a.Failed
		read[at] += a.Bytes
		total += a.Results
	}
	most, mostBytes := highest(done), highest(read)
	seconds := float64(step) * ledger.SlotLength.Seconds()
	whole := time.Duration(last-first+1) * ledger.SlotLength
	from, till := clockTime(activity[0].Begin(), whole), clockTime(activity[0].Begin().Add(whole), whole)
	results = chart{
		Columns: n, Path: columns(done, most, chartHeight), BadPath: columns(failed, most, chartHeight), From: from, Till: till,
		Most: resultRate(float64(most) / seconds),
	}
	results.Text = quantity(total, "result") + " from " + from + " to " + till + ", at most " + results.Most
	bytes = chart{
		Columns: n, Path: columns(read, mostBytes, chartHeight), From: from, Till: till,
		Most: humanize.IBytes(uint64(float64(mostBytes)/seconds)) + "/s",
	}
	bytes.Text = "from " + from + " to " + till + ", at most " + bytes.Most
	return results, bytes
}

func highest[T int64 | float64](values []T) (most T) {
	for _, v := range values {
		most = max(most, v)
	}
	return most
}

func resultRate(perSecond float64) string {
	digits := rateDigits(perSecond)
	if digits == 0 {
		perSecond = math.Round(perSecond)
	}
	return humanize.CommafWithDigits(perSecond, digits) + " results/s"
}
