package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/balerhq/baler/tasks"
)

// canvas is what a frame of a live view is drawn on: lines of a terminal.
type canvas struct {
	width, height int
	colors        bool
	lines         []string
}

// part is a piece of a line in one color.
type part struct {
	text  string
	color color
}

// add adds a line of parts, cut to the width.
func (c *canvas) add(parts ...part) {
	var b strings.Builder
	left := c.width
	for _, p := range parts {
		text := p.text
		if left == 0 {
			break
		}
		if w := runewidth.StringWidth(text); w > left {
			text = runewidth.Truncate(text, left, "…")
		}
		left -= runewidth.StringWidth(text)
		b.WriteString(p.color.paint(text, c.colors))
	}
	c.lines = append(c.lines, b.String())
}

func (c *canvas) textf(format string, args ...any) { c.add(part{text: fmt.Sprintf(format, args...)}) }

// room is how many lines are left above the last one.
func (c *canvas) room() int { return c.height - 1 - len(c.lines) }

// edges adds a line with text at both ends.
func (c *canvas) edges(left, right part) {
	gap := c.width - runewidth.StringWidth(left.text) - runewidth.StringWidth(right.text)
	if gap < 1 {
		left.text = runewidth.Truncate(left.text, max(0, c.width-runewidth.StringWidth(right.text)-1), "…")
		gap = max(1, c.width-runewidth.StringWidth(left.text)-runewidth.StringWidth(right.text))
	}
	c.add(left, part{text: strings.Repeat(" ", gap)}, right)
}

// liveTransfer is what a live view of one transfer shows.
type liveTransfer struct {
	t        tasks.Transfer
	pace     *progressRate
	activity tasks.LiveWork
	note     string // of the last line: what does not work
	at       time.Time
}

// draw draws a frame: what matters most comes first, because a low terminal has no more.
func (v *liveTransfer) draw(c *canvas) {
	t := &v.t
	c.edges(part{"Transfer " + number(t) + "  " + quoted(t.Name), bold}, part{stateOf(t), colorOfState(t)})
	v.total(c)
	if t.WaitingFor != "" && c.room() > 0 {
		c.add(part{"Waiting for: " + printable(t.WaitingFor), yellow})
	}
	v.lanes(c)
	v.finalizers(c)
	v.files(c)
	v.workers(c)
	v.failures(c)
	for c.room() > 0 {
		c.textf("")
	}
	keys := "q quits"
	if v.note != "" {
		c.add(part{printable(v.note), yellow})
		return
	}
	c.edges(part{keys, dim}, part{v.at.Format(time.TimeOnly), dim})
}

// total says how far the whole transfer is.
func (v *liveTransfer) total(c *canvas) {
	notes := v.pace.counted()
	for _, n := range v.pace.notes() {
		if c.width >= runewidth.StringWidth(notes)+runewidth.StringWidth(n)+3 {
			notes += " · " + n
		}
	}
	c.textf("%s", notes)
}

// segment is a part of a lane.
type segment struct {
	name   string
	letter string // without colors
	color  color
	files  int64
}

// lane splits the files of a step by how they ended, and those that have not.
func lane(s *tasks.StepProgress) []segment {
	return []segment{
		{"ok", "#", green, s.Succeeded},
		{"warned", "w", yellow, s.Warning},
		{"skipped", "s", cyan, s.Skipped},
		{"failed", "F", red, s.Failures()},
		{"canceled", "c", magenta, s.Canceled},
		{"left", ".", dim, max(0, s.Selected-s.Total())},
	}
}

// lanes draws a bar for each step, with the outcomes stacked.
func (v *liveTransfer) lanes(c *canvas) {
	steps := v.t.Steps
	if len(steps) == 0 || c.room() < 2 {
		return
	}
	c.textf("")
	shown := min(len(steps), max(1, c.room()-1))
	if shown < len(steps) && shown > 1 {
		shown-- // the last line says how many more there are
	}
	names, counts, short := 0, 0, c.width < narrowestTerminal
	for i := range steps[:shown] {
		names = max(names, runewidth.StringWidth(printable(steps[i].Name)))
		counts = max(counts, len(laneCount(&steps[i], short)))
	}
	names = min(names, max(4, c.width/4))
	width := c.width - names - counts - 2
	var present [6]bool
	for i := range steps[:shown] {
		s := &steps[i]
		name := runewidth.FillRight(runewidth.Truncate(printable(s.Name), names, "…"), names)
		line := []part{{text: name + " "}}
		segments := lane(s)
		for j := range segments {
			present[j] = present[j] || segments[j].files > 0
		}
		if width >= 3 {
			line = append(line, bar(segments, width, c.colors)...)
			line = append(line, part{text: " "})
		}
		c.add(append(line, part{text: fmt.Sprintf("%*s", counts, laneCount(s, short))})...)
	}
	if more := len(steps) - shown; more > 0 && c.room() > 0 {
		c.add(part{"… " + plural(int64(more), "more step"), dim})
	}
	if c.room() > 0 {
		var legend []part
		for j, s := range lane(&steps[0]) {
			if present[j] {
				legend = append(legend, part{text: "  "}, part{s.glyph(c.colors), s.color}, part{" " + s.name, dim})
			}
		}
		if len(legend) > 0 {
			c.add(append([]part{{text: strings.Repeat(" ", max(0, names-1))}}, legend...)...)
		}
	}
}

func laneCount(s *tasks.StepProgress, short bool) string {
	text := count(s.Total()) + "/" + count(s.Selected)
	if n := s.Failures(); n > 0 && !short {
		text += ", " + count(n) + " failed"
	}
	return text
}

func (s *segment) glyph(colors bool) string {
	switch {
	case !colors:
		return s.letter
	case s.name == "left":
		return "░"
	}
	return "█"
}

// bar is a bar of so many columns. What has any files has a column, as far as there are enough:
// a single failure among millions must be seen.
func bar(segments []segment, width int, colors bool) (parts []part) {
	columns := shares(segments, width)
	for i := range segments {
		if columns[i] > 0 {
			parts = append(parts, part{strings.Repeat(segments[i].glyph(colors), columns[i]), segments[i].color})
		}
	}
	if len(parts) == 0 {
		parts = []part{{strings.Repeat(" ", width), plain}} // no file has come to the step
	}
	return parts
}

// shares divides columns among segments by their files. The sum is width unless all are empty.
func shares(segments []segment, width int) []int {
	columns := make([]int, len(segments))
	all := 0.0
	for i := range segments {
		all += float64(max(0, segments[i].files)) // below 0 in a row that makes no sense
	}
	if all == 0 || width <= 0 {
		return columns
	}
	given := 0
	for i := range segments {
		columns[i] = int(float64(width) * float64(max(0, segments[i].files)) / all)
		if columns[i] == 0 && segments[i].files > 0 {
			columns[i] = 1
		}
		given += columns[i]
	}
	for given != width {
		widest := 0
		for i := range columns {
			if columns[i] > columns[widest] {
				widest = i
			}
		}
		if given < width {
			columns[widest]++
			given++
			continue
		}
		columns[widest]--
		given--
	}
	return columns
}

func (v *liveTransfer) finalizers(c *canvas) {
	if len(v.t.Finalizers) == 0 || c.room() < 2 {
		return
	}
	line := []part{{text: "Then "}}
	for i, s := range v.t.Finalizers {
		if i > 0 {
			line = append(line, part{text: ", "})
		}
		state := plain
		switch s.State {
		case tasks.FinalizeDone:
			state = green
		case tasks.FinalizeFailed:
			state = red
		case tasks.FinalizeRunning:
			state = cyan
		case tasks.FinalizeWaiting, tasks.FinalizeCanceled:
			state = dim
		}
		line = append(line, part{text: printable(s.Name) + " "}, part{string(s.State), state})
		if far := progressText(s.Progress); far != "" {
			line = append(line, part{text: " (" + far + ")"})
		}
	}
	c.add(line...)
}

// files lists the files that take long, and how far they are.
func (v *liveTransfer) files(c *canvas) {
	running := v.activity.Files
	if len(running) == 0 || c.room() < 3 {
		return
	}
	c.textf("")
	c.add(part{"Files that take long", bold})
	room := max(1, c.room()/2)
	for i := range running {
		if i == room-1 && len(running) > room {
			c.add(part{"… " + count(int64(len(running)-i)) + " more", dim})
			return
		}
		f := &running[i]
		text := runningText(f, v.at)
		name := tail(quoted(bytesOr(f.PathBytes, f.Path)), max(narrow, c.width-runewidth.StringWidth(text)-2))
		c.add(part{text: name + "  "}, part{text: text})
	}
}

// workers lists who works on the transfer, and on which steps.
func (v *liveTransfer) workers(c *canvas) {
	var names []string
	work := make(map[string][]string)
	for _, r := range v.activity.Running {
		if work[r.Worker] == nil {
			names = append(names, r.Worker)
		}
		batches := "es"
		if r.Batches == 1 {
			batches = ""
		}
		work[r.Worker] = append(work[r.Worker], fmt.Sprintf("%s (%s batch%s)", printable(r.Step), count(int64(r.Batches)), batches))
	}
	room := c.room() - 2
	if len(v.activity.Failures) > 0 {
		room = max(2, room/2)
	}
	if len(names) == 0 || c.room() < 3 {
		return
	}
	c.textf("")
	c.add(part{plural(int64(len(names)), "worker") + " on it", bold})
	for i, name := range names {
		if c.room() < 1 {
			return
		}
		if i == room-1 && len(names) > room {
			c.add(part{"… " + count(int64(len(names)-i)) + " more", dim})
			return
		}
		c.textf("%s  %s", printable(name), strings.Join(work[name], ", "))
	}
}

func (v *liveTransfer) failures(c *canvas) {
	if len(v.activity.Failures) == 0 || c.room() < 3 {
		return
	}
	c.textf("")
	c.add(part{"Newest failures", bold})
	for i := range v.activity.Failures {
		if c.room() < 1 {
			return
		}
		f := &v.activity.Failures[i]
		head := fmt.Sprintf("%s  %s  ", f.EndedAt.Local().Format(time.TimeOnly), printable(f.Step)) //nolint:gosmopolitan // for people
		reason := printable(f.Message)
		if f.Code != "" {
			reason = strings.TrimSuffix(printable(f.Code)+": "+reason, ": ")
		}
		left := c.width - runewidth.StringWidth(head) - len(f.Outcome) - 4
		name := tail(quoted(bytesOr(f.PathBytes, f.Path)), max(narrow, left/2))
		c.add(part{head, dim}, part{string(f.Outcome), colorOf(f.Outcome)}, part{text: "  " + name + "  "}, part{text: reason})
	}
}
