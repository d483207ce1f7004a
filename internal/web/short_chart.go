package web

import (
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
)

// shortSlots is for how many slots of time a transfer is short: its slots would be a few wide
// columns, and its batches tell more.
const shortSlots = 12

// shortColumns is how many columns the charts of a short transfer have at most.
const shortColumns = 60

// isShort reports whether charts can be drawn of batches: the history has all of them, and they
// lie close together.
func isShort(activity []ledger.Activity, past []ledger.PastBatch) bool {
	return len(activity) > 0 && len(past) > 0 && len(past) < shownBatches && activity[len(activity)-1].Slot-activity[0].Slot < shortSlots
}

// ratesOfBatches draws results and bytes a second of a short transfer. What a batch did is
// spread evenly over the time that it ran.
func ratesOfBatches(past []ledger.PastBatch) (results, bytes chart) {
	from, till := extent(past)
	if from.IsZero() {
		return results, bytes
	}
	whole := till.Sub(from)
	step := columnLength(whole)
	n := int(whole/step) + 1
	done, failed, read := make([]float64, n), make([]float64, n), make([]float64, n)
	var total int64
	for i := range past {
		b := &past[i]
		if b.StartedAt.IsZero() {
			continue
		}
		total += int64(b.Items)
		begin, end := b.StartedAt.Sub(from), max(b.EndedAt.Sub(from), b.StartedAt.Sub(from)+time.Millisecond)
		for at := int(begin / step); at <= int((end-1)/step) && at < n; at++ {
			left := time.Duration(at) * step
			share := float64(min(end, left+step)-max(begin, left)) / float64(end-begin)
			done[at] += share * float64(b.Items)
			failed[at] += share * float64(b.Failed)
			read[at] += share * float64(b.Bytes)
		}
	}
	most, mostBytes := highest(done), highest(read)
	length := time.Duration(n) * step
	results = chart{
		Columns: n, Path: columns(done, most, chartHeight), BadPath: columns(failed, most, chartHeight),
		From: clockTime(from, length), Till: clockTime(from.Add(length), length),
		Most: resultRate(most / step.Seconds()),
	}
	results.Text = quantity(total, "result") + " from " + results.From + " to " + results.Till + ", at most " + results.Most
	bytes = chart{
		Columns: n, Path: columns(read, mostBytes, chartHeight), From: results.From, Till: results.Till,
		Most: humanize.IBytes(uint64(mostBytes/step.Seconds())) + "/s",
	}
	bytes.Text = "from " + bytes.From + " to " + bytes.Till + ", at most " + bytes.Most
	return results, bytes
}

// extent is when the first of the batches began and the last ended; zero when none began.
func extent(past []ledger.PastBatch) (from, till time.Time) {
	for i := range past {
		b := &past[i]
		if b.StartedAt.IsZero() {
			continue
		}
		if from.IsZero() || b.StartedAt.Before(from) {
			from = b.StartedAt
		}
		if b.EndedAt.After(till) {
			till = b.EndedAt
		}
	}
	if till.Before(from) { // a clock is wrong
		till = from
	}
	return from, till
}

// columnLength is a round time of which shortColumns hold the whole.
func columnLength(whole time.Duration) time.Duration {
	for step := 10 * time.Millisecond; ; step *= 10 {
		for _, length := range []time.Duration{step, 2 * step, 5 * step} {
			if whole/length < shortColumns {
				return length
			}
		}
	}
}
