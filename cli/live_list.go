package cli

import (
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

var errNoTerminal = usagef("--watch needs the id of a transfer, unless the output is a terminal")

// liveList is what a live view of the newest transfers shows.
type liveList struct {
	transfers []tasks.Transfer
	at        time.Time
	note      string // what does not work
}

func (l *liveList) draw(c *canvas) {
	if len(l.transfers) == 0 {
		c.textf("There are no transfers yet.")
	} else {
		var b strings.Builder
		transferTable(l.transfers[:min(len(l.transfers), max(0, c.height-2))], time.Now()).within(c.width).colored(c.colors).write(&b)
		for line := range strings.Lines(b.String()) {
			c.lines = append(c.lines, strings.TrimSuffix(line, "\n"))
		}
	}
	for c.room() > 0 {
		c.textf("")
	}
	if l.note != "" {
		c.add(part{printable(l.note), yellow})
		return
	}
	c.edges(part{"q quits", dim}, part{l.at.Format(time.TimeOnly), dim})
}
