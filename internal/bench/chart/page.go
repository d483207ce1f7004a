package chart

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

// Page is a report of one run.
type Page struct {
	Title  string
	Lead   string   // a description of the measurement
	Says   []string // results in words
	Facts  []Fact   // about the machine and the settings
	Charts []Chart
	Tables []DataTable
}

// Fact is a name with a value.
type Fact struct{ Name, Value string }

// DataTable is text in columns.
type DataTable struct {
	Title   string
	Columns []DataColumn
	Rows    [][]string
}

// DataColumn is a column of a table. Numbers are aligned to the right.
type DataColumn struct {
	Title string
	Right bool
}

// WriteHTML writes a page that needs no other file and no network.
func WriteHTML(w io.Writer, p *Page) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"svg":   func(c Chart) template.HTML { return template.HTML(svg([]Chart{c})) }, //nolint:gosec // its texts are escaped there
		"right": func(t DataTable, i int) bool { return t.Columns[i].Right },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
