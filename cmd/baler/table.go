package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// table is text in columns, set as wide as their widest cell.
type table struct {
	columns []column
	rows    [][]string
}

type column struct {
	title string
	right bool // numbers stand at the right
}

func words(title string) column   { return column{title, false} }
func numbers(title string) column { return column{title, true} }

func newTable(columns ...column) *table { return &table{columns: columns} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	widths := make([]int, len(t.columns))
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
		widths[i] = runewidth.StringWidth(c.title)
		for _, r := range t.rows {
			widths[i] = max(widths[i], runewidth.StringWidth(r[i]))
		}
	}
	t.line(w, titles, widths)
	for _, r := range t.rows {
		t.line(w, r, widths)
	}
}

func (t *table) line(w io.Writer, cells []string, widths []int) {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		gap := strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell))
		if t.columns[i].right {
			b.WriteString(gap + cell)
		} else {
			b.WriteString(cell + gap)
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}
