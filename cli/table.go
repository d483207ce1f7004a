package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/balerhq/baler/tasks"
)

// table is text in columns, each as wide as its widest cell.
type table struct {
	columns []column
	rows    [][]string
	width   int   // columns that shrink and wrap keep the table within it; 0 for no limit
	laidOut []int // the widths of the columns once the titles are written
	colors  bool
}

type column struct {
	title  string
	short  string // the title when the table would be too wide; empty: the same
	right  bool   // aligned to the right, for numbers
	shrink shrink

	hue func(cell string) color // of a cell on a terminal with colors; nil: none
}

// shrink says how a column shrinks when the table would be too wide.
type shrink int

const (
	keep  shrink = iota
	end          // the end of the text
	start        // its start: the end of a path matters most
	wrap         // nothing is cut: the text continues on the next line; for the last column
	drop         // the end of the text, and then the whole column
	spare        // the whole column, before any other shrinks
)

func words(title string) column   { return column{title: title} }
func numbers(title string) column { return column{title: title, right: true} }

// outcomes is a column of outcomes in their colors.
func outcomes(title string) column {
	return column{title: title, hue: func(cell string) color { return colorOf(tasks.Outcome(cell)) }}
}

// alarming is a column of numbers in a color, except 0.
func alarming(title, short string, c color) column {
	return column{title: title, short: short, right: true, hue: func(cell string) color {
		if cell == "0" {
			return plain
		}
		return c
	}}
}

// narrow is the minimal width of a column that shrinks.
const narrow = 8

func newTable(columns ...column) *table { return &table{columns: columns} }

// row adds a row. No cell can send a control character to the terminal, wherever its
// text comes from.
func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// within limits the table's width.
func (t *table) within(width int) *table {
	t.width = width
	return t
}

// colored sets whether cells have colors.
func (t *table) colored(on bool) *table {
	t.colors = on
	return t
}

func (t *table) write(w io.Writer) {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	widths := t.widths(titles)
	if t.tooWide(widths) > 0 {
		for i, c := range t.columns {
			if c.short != "" {
				titles[i] = c.short
			}
		}
		if t.tooWide(t.widths(titles)) > 0 {
			titles = t.dropColumns(titles, spare)
		}
		widths = t.fit(t.widths(titles))
		if t.tooWide(widths) > 0 {
			titles = t.dropColumns(titles, drop)
			widths = t.fit(t.widths(titles))
		}
	}
	t.laidOut = widths
	t.titles(w, titles, widths)
	for _, r := range t.rows {
		t.line(w, r, widths)
	}
}

func (t *table) titles(w io.Writer, titles []string, widths []int) {
	colors := t.colors
	t.colors = false
	t.line(w, titles, widths)
	t.colors = colors
}

// next adds a row to a table that has been written, with the same widths.
func (t *table) next(w io.Writer, cells ...string) { t.line(w, cells, t.laidOut) }

// dropColumns leaves out the columns of a kind, and returns the other titles.
func (t *table) dropColumns(titles []string, which shrink) []string {
	for i, c := range slices.Backward(slices.Clone(t.columns)) {
		if c.shrink != which {
			continue
		}
		t.columns, titles = slices.Delete(t.columns, i, i+1), slices.Delete(titles, i, i+1)
		for r := range t.rows {
			t.rows[r] = slices.Delete(t.rows[r], i, i+1)
		}
	}
	return titles
}

func (t *table) widths(titles []string) []int {
	widths := make([]int, len(titles))
	for i, title := range titles {
		widths[i] = runewidth.StringWidth(title)
		for _, r := range t.rows {
			widths[i] = max(widths[i], runewidth.StringWidth(r[i]))
		}
	}
	return widths
}

// tooWide returns how many columns the table exceeds its width by.
func (t *table) tooWide(widths []int) int {
	if t.width == 0 {
		return 0
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total - t.width
}

// fit shrinks the widest column that may shrink, repeatedly, until the table fits or no
// column can shrink.
func (t *table) fit(widths []int) []int {
	for excess := t.tooWide(widths); excess > 0; excess-- {
		widest := -1
		for i, w := range widths {
			if t.columns[i].shrink != keep && t.columns[i].shrink != spare && w > narrow && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// line writes one row, which takes several lines when a cell wraps.
func (t *table) line(w io.Writer, cells []string, widths []int) {
	var b strings.Builder
	var below []string
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		switch t.columns[i].shrink {
		case end, drop:
			cell = runewidth.Truncate(cell, widths[i], "…")
		case start:
			cell = tail(cell, widths[i])
		case wrap:
			lines := wrapped(cell, widths[i])
			cell, below = lines[0], lines[1:]
		case keep, spare:
		}
		gap := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(cell)))
		if hue := t.columns[i].hue; hue != nil {
			cell = hue(cells[i]).paint(cell, t.colors)
		}
		if t.columns[i].right {
			b.WriteString(gap + cell)
		} else {
			b.WriteString(cell + gap)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	for _, line := range below {
		indent := 0
		for _, width := range widths[:len(widths)-1] {
			indent += width + 2
		}
		fmt.Fprintln(w, strings.Repeat(" ", indent)+line)
	}
}

// wrapped breaks text between words into lines of at most width columns; a longer
// word has a line of its own.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width {
			lines, line = append(lines, line), word
			continue
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
