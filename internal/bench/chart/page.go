package chart

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

// Page is a report of one run, to show to others.
type Page struct {
	Title  string
	Lead   string   // what was measured
	Says   []string // what came out, in words
	Facts  []Fact   // of the machine and the settings
	Charts []Chart
	Tables []Table
}

// Fact is a name and what there is to say to it.
type Fact struct{ Name, Value string }

// Table is text in columns.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]string
}

// Column is a table's; numbers stand at the right.
type Column struct {
	Title string
	Right bool
}

// WriteHTML writes a page that needs no other file and no network.
func WriteHTML(w io.Writer, p *Page) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"svg":   func(c Chart) template.HTML { return template.HTML(svg([]Chart{c})) }, //nolint:gosec // its texts are escaped there
		"right": func(t Table, i int) bool { return t.Columns[i].Right },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
