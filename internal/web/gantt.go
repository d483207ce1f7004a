package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
)

// gantt shows when batches ran, a group of lanes for each worker.
type gantt struct {
	Workers    []ganttWorker
	From, Till string // the time at both ends
	Batches    int
	Stragglers int
}

// ganttWorker has the batches of one worker, packed in lanes.
type ganttWorker struct {
	Name   string
	Height int
	Blocks []ganttBlock
}

// ganttBlock is one batch; X and Width are in percent, Y in pixels.
type ganttBlock struct {
	Tone, X, Width string
	Y              int
	Text           string
}

const (
	laneHeight    = 11 // pixels, with the gap
	lanesOfWorker = 12 // more batches at once share the last lane
	straggles     = 3  // how many times as long as the median a straggler takes
)

// waitingLane is the name of the lanes of batches that no worker runs.
const waitingLane = "waiting"

// span is a batch in time.
type span struct {
	worker, tone, text string
	from, till         time.Time
}

// ganttOf draws batches that ended and those that have not until now.
func ganttOf(past []ledger.PastBatch, open []ledger.OpenBatch, steps map[int]string, now time.Time) (g gantt) {
	median := medianRun(past)
	var spans []span
	for i := range past {
		b := &past[i]
		if b.StartedAt.IsZero() {
			continue // no file of it began
		}
		s := span{worker: b.Worker, tone: "good", from: b.StartedAt, till: b.EndedAt}
		run := b.EndedAt.Sub(b.StartedAt)
		switch {
		case b.Failed > 0:
			s.tone = "bad"
		case len(past) > straggles && run > straggles*median && run > time.Second:
			s.tone = "warn"
			g.Stragglers++
		}
		s.text = fmt.Sprintf("batch %d, %s, %s: ran %s after waiting %s", b.Batch, steps[b.Step], quantity(int64(b.Items), "file"),
			forPeople(run),
			forPeople(max(b.StartedAt.Sub(b.CreatedAt), 0)))
		if b.Failed > 0 {
			s.text += fmt.Sprintf(", %s failed", humanize.Comma(int64(b.Failed)))
		}
		spans = append(spans, s)
	}
	for i := range open {
		b := &open[i]
		age := forPeople(max(now.Sub(b.CreatedAt), 0))
		s := span{worker: b.HeldBy, tone: "busy", from: b.CreatedAt, till: now}
		s.text = fmt.Sprintf("batch %d, %s, %s: made %s ago, running", b.Batch, steps[b.Step], quantity(int64(b.Items), "file"), age)
		if b.HeldBy == "" {
			s.worker, s.tone = waitingLane, "wait"
			s.text = fmt.Sprintf("batch %d, %s, %s: waiting for %s", b.Batch, steps[b.Step], quantity(int64(b.Items), "file"), age)
		}
		spans = append(spans, s)
	}
	g.Batches = len(spans)
	g.place(spans)
	return g
}

func medianRun(past []ledger.PastBatch) time.Duration {
	var runs []time.Duration
	for i := range past {
		if !past[i].StartedAt.IsZero() {
			runs = append(runs, past[i].EndedAt.Sub(past[i].StartedAt))
		}
	}
	if len(runs) == 0 {
		return 0
	}
	slices.Sort(runs)
	return runs[len(runs)/2]
}

// place packs the spans of each worker into lanes.
func (g *gantt) place(spans []span) {
	if len(spans) == 0 {
		return
	}
	from, till := spans[0].from, spans[0].till
	byWorker := make(map[string][]span)
	for _, s := range spans {
		if s.from.Before(from) {
			from = s.from
		}
		if s.till.After(till) {
			till = s.till
		}
		byWorker[s.worker] = append(byWorker[s.worker], s)
	}
	whole := max(till.Sub(from), time.Millisecond)
	g.From, g.Till = clockTime(from, whole), clockTime(till, whole)
	for _, name := range sortedNames(byWorker) {
		own := byWorker[name]
		slices.SortFunc(own, func(a, b span) int { return a.from.Compare(b.from) })
		w := ganttWorker{Name: visible(cmp.Or(name, "unknown"))}
		var ends []time.Time // of each lane
		for _, s := range own {
			lane := slices.IndexFunc(ends, func(end time.Time) bool { return !end.After(s.from) })
			if lane < 0 {
				lane = min(len(ends), lanesOfWorker-1)
			}
			if lane == len(ends) {
				ends = append(ends, s.till)
			}
			ends[lane] = s.till
			x := float64(s.from.Sub(from)) / float64(whole) * 100
			width := max(float64(s.till.Sub(s.from))/float64(whole)*100, 0.25)
			w.Blocks = append(w.Blocks, ganttBlock{
				Tone: s.tone, X: percent(min(x, 99.7)), Width: percent(width), Y: lane * laneHeight, Text: s.text,
			})
		}
		w.Height = len(ends) * laneHeight
		g.Workers = append(g.Workers, w)
	}
}

// sortedNames are the workers by name; what waits comes last.
func sortedNames(of map[string][]span) []string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strconv.FormatBool(a == waitingLane), strconv.FormatBool(b == waitingLane)), cmp.Compare(a, b))
	})
	return names
}

// clockTime shows a time at the end of an axis that lasts that long.
func clockTime(t time.Time, whole time.Duration) string {
	switch {
	case whole < 10*time.Second:
		return t.UTC().Format("15:04:05.000")
	case whole < 20*time.Hour:
		return t.UTC().Format("15:04:05")
	}
	return t.UTC().Format("2 Jan 15:04")
}
