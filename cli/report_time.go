package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// reportTime says where the wall time of a transfer went.
func (p *program) reportTime(w io.Writer, t *tasks.Transfer) {
	wall := t.WallTime
	if wall == nil || wall.Took <= 0 {
		return
	}
	fmt.Fprintf(w, "\nWall time %s%s: %s\n", span(wall.Took), parallelism(wall), sharesOf(&wall.Parts, wall.Took))
	if len(wall.Steps) < 2 {
		return
	}
	fmt.Fprintln(w)
	timeTable(wall).within(tableWidth(w)).write(w)
}

// parallelism says what worked on a transfer.
func parallelism(w *tasks.WallTime) string {
	if w.Workers == 0 {
		return ""
	}
	on := fmt.Sprintf(" on %s with %s", plural(int64(w.Workers), "worker"), plural(int64(w.Slots), "slot"))
	if w.Workers > 1 && w.Slots%w.Workers == 0 {
		on = fmt.Sprintf(" on %d workers × %s", w.Workers, plural(int64(w.Slots/w.Workers), "slot"))
	}
	return on + fmt.Sprintf(", %.1f batches in the handler on average", w.HandlersAtOnce)
}

// sharesOf lists the parts of a time, the largest first.
func sharesOf(parts *tasks.TimeByPart, whole time.Duration) string {
	var words []string
	for _, part := range parts.Largest() {
		words = append(words, part.Words()+" "+timeShare(parts[part], whole))
	}
	return strings.Join(words, ", ")
}

// timeShare is a share of a time in percent; what is less than half a percent still shows.
func timeShare(part, whole time.Duration) string {
	percent := 100 * part.Seconds() / whole.Seconds()
	switch {
	case part <= 0:
		return "–"
	case percent < 0.5:
		return "<1 %"
	}
	return fmt.Sprintf("%.0f %%", percent)
}

// timeTable has a row for each step, and a column for each part that is not zero.
func timeTable(wall *tasks.WallTime) *table {
	columns := []column{{title: "STEP", shrink: end}, numbers("TIME")}
	shown := wall.Parts.Largest()
	for _, part := range shown {
		columns = append(columns, numbers(strings.ToUpper(part.Words())))
	}
	list := newTable(columns...)
	rest := wall.Parts
	row := func(name string, parts *tasks.TimeByPart) {
		cells := []string{name, span(parts.Sum())}
		for _, part := range shown {
			cells = append(cells, timeShare(parts[part], wall.Took))
		}
		list.row(cells...)
	}
	for i := range wall.Steps {
		step := &wall.Steps[i]
		for p, d := range step.Parts {
			rest[p] -= d
		}
		row(printable(step.Step), &step.Parts)
	}
	if rest.Sum() > 0 {
		row("(no step)", &rest)
	}
	return list
}
