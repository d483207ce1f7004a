package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/tasks"
)

// timeBars show where the wall time of a transfer went: one stacked bar for all, one for each
// step.
type timeBars struct {
	On     string // what worked on it
	Rows   []timeRow
	Legend []timeKey
}

type timeRow struct {
	Name, Took string
	Bar        bar
}

// timeKey explains a tone of the bars.
type timeKey struct{ Tone, Words, Share string }

// toneOfTime gives work tones that stand out, and waiting quiet ones.
func toneOfTime(p tasks.TimePart) string {
	switch p {
	case tasks.TimeHandler:
		return "good"
	case tasks.TimeCommits:
		return "busy"
	case tasks.TimeLoading:
		return "accent"
	case tasks.TimeLimits, tasks.TimeSlots:
		return "warn"
	case tasks.TimeNoWorker:
		return "away" // not that of the queue, beside which it often stands
	case tasks.TimeQueue:
		return "off"
	case tasks.TimeRetry:
		return "bad"
	case tasks.TimeFinalSteps, tasks.TimeOther:
		return "wait"
	case tasks.TimePaused, tasks.TimeApproval, tasks.TimeNoBatch:
	}
	return "skipped"
}

// timeBarsOf has no rows when nothing is known.
func timeBarsOf(w *tasks.WallTime) (t timeBars) {
	if w == nil || w.Took <= 0 {
		return t
	}
	if w.Workers > 0 {
		t.On = fmt.Sprintf("%s with %s, %.1f batches in the handler on average", english.Plural(w.Workers, "worker", ""),
			english.Plural(w.Slots, "slot", ""), w.HandlersAtOnce)
	}
	t.Rows = append(t.Rows, timeRow{"All", forPeople(w.Took), timeBarOf(&w.Parts, w.Took)})
	if len(w.Steps) > 1 {
		for i := range w.Steps {
			s := &w.Steps[i]
			if s.Parts.Sum() == 0 {
				continue // it has not begun, or nothing is known of it
			}
			t.Rows = append(t.Rows, timeRow{visible(s.Step), forPeople(s.Parts.Sum()), timeBarOf(&s.Parts, w.Took)})
		}
	}
	for _, p := range w.Parts.Largest() {
		t.Legend = append(t.Legend, timeKey{toneOfTime(p), p.Words(), share(w.Parts[p], w.Took)})
	}
	return t
}

func timeBarOf(parts *tasks.TimeByPart, whole time.Duration) bar {
	var all []part
	var words []string
	for _, p := range parts.Largest() {
		all = append(all, part{toneOfTime(p), "", int64(parts[p])})
		words = append(words, p.Words()+" "+share(parts[p], whole))
	}
	b := barOf(all, int64(whole))
	b.Text = strings.Join(words, ", ")
	if b.Text == "" {
		b.Text = "no time"
	}
	return b
}

// share is a share of a time in percent.
func share(part, whole time.Duration) string {
	if percent := 100 * part.Seconds() / whole.Seconds(); percent >= 0.5 {
		return fmt.Sprintf("%.0f %%", percent)
	}
	return "< 1 %"
}
