package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// resultWriter writes results one after the other. Call end after the last one.
type resultWriter interface {
	write(l *tasks.ResultLine) error
	end() error
}

// resultLines writes one JSON object per line: all fields, or the chosen columns.
type resultLines struct {
	p       *program
	columns []resultColumn
}

func (r *resultLines) write(l *tasks.ResultLine) error {
	if r.columns == nil {
		return r.p.object(l)
	}
	facts := factsOf(l)
	members := make([]string, len(r.columns))
	for i := range r.columns {
		var err error
		if members[i], err = r.columns[i].member(l, facts); err != nil {
			return err
		}
	}
	r.p.printf("{%s}", strings.Join(members, ","))
	return r.p.stdout.err
}

func (*resultLines) end() error { return nil }

// resultCSV writes a row of titles and a row for each result.
type resultCSV struct {
	w       *csv.Writer
	columns []resultColumn
	escape  bool // control characters, for a terminal; in a file the values stay as they are
}

func newResultCSV(w io.Writer, columns []resultColumn, escape bool) (*resultCSV, error) {
	c := &resultCSV{w: csv.NewWriter(w), columns: columns, escape: escape}
	titles := make([]string, len(columns))
	for i := range columns {
		titles[i] = columns[i].title()
	}
	return c, c.row(titles)
}

func (c *resultCSV) write(l *tasks.ResultLine) error {
	facts := factsOf(l)
	row := make([]string, len(c.columns))
	for i := range c.columns {
		row[i] = c.columns[i].text(l, facts)
	}
	return c.row(row)
}

func (c *resultCSV) row(cells []string) error {
	for i := range cells {
		if c.escape {
			cells[i] = printable(cells[i])
		}
	}
	return c.w.Write(cells)
}

func (c *resultCSV) end() error {
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// sampled is how many results of a step determine the columns of its table.
const sampled = 1000

// resultTables writes a table for each step. The first results of a step determine its
// columns; other facts of later results go to the end of their lines.
type resultTables struct {
	w       io.Writer
	width   int                        // of the terminal; 0 when there is none
	columns []resultColumn             // nil: those that the step's results have
	order   func(step string) []string // facts of a step, the most important first
	titled  bool                       // tables have titles, because there are several steps

	step    string
	waiting []tasks.ResultLine // of the step, until its columns are known
	shown   []resultColumn
	table   *table
	any     bool
}

func (r *resultTables) write(l *tasks.ResultLine) error {
	if r.columns == nil && l.Step != r.step {
		if err := r.end(); err != nil {
			return err
		}
		r.step, r.table = l.Step, nil
	}
	if r.table != nil {
		r.table.next(r.w, r.cells(l)...)
		return nil
	}
	r.waiting = append(r.waiting, *l)
	if len(r.waiting) < sampled {
		return nil
	}
	return r.end()
}

// end writes the results that wait.
func (r *resultTables) end() error {
	if len(r.waiting) == 0 {
		return nil
	}
	if r.shown = r.columns; r.columns == nil {
		r.shown = r.choose()
	}
	var columns []column
	for i, c := range r.shown {
		shrinks := end
		switch {
		case c.name == "path" && !c.fact:
			shrinks = start
		case c.name == "outcome" && !c.fact:
			shrinks = keep
		}
		columns = append(columns, column{title: strings.ToUpper(printable(r.shown[i].title())), shrink: shrinks})
	}
	r.table = newTable(append(columns, column{})...).within(r.width)
	for i := range r.waiting {
		r.table.row(r.cells(&r.waiting[i])...)
	}
	r.waiting = nil
	if r.any {
		fmt.Fprintln(r.w)
	}
	r.any = true
	if r.titled {
		fmt.Fprintf(r.w, "Step %s\n", printable(r.step))
	}
	r.table.write(r.w)
	return nil
}

// choose returns the columns for the waiting results: those in which any of them has a
// value.
func (r *resultTables) choose() []resultColumn {
	facts, message, reused := map[string]bool{}, false, false
	for i := range r.waiting {
		reused = reused || r.waiting[i].ReusedFrom != ""
		for name := range factsOf(&r.waiting[i]) {
			facts[name] = true
		}
		message = message || messageOf(&r.waiting[i]) != ""
	}
	columns := parseColumns([]string{"outcome", "path"})
	for _, name := range inOrder(facts, r.order(r.step)) {
		columns = append(columns, resultColumn{name: name, fact: true})
	}
	if message {
		columns = append(columns, parseColumns([]string{"message"})...)
	}
	if reused {
		columns = append(columns, parseColumns([]string{"reused_from"})...)
	}
	return columns
}

// inOrder lists names: first those in order, then the others sorted.
func inOrder(names map[string]bool, order []string) []string {
	var all, others []string
	for _, name := range order {
		if names[name] {
			all = append(all, name)
		}
	}
	for name := range names {
		if !slices.Contains(all, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(all, others...)
}

// cells returns the columns of a result, and at the end the facts without a column.
func (r *resultTables) cells(l *tasks.ResultLine) []string {
	facts := factsOf(l)
	cells := make([]string, len(r.shown)+1)
	shown := map[string]bool{}
	message := r.columns != nil
	for i := range r.shown {
		c := &r.shown[i]
		cells[i] = c.cell(l, facts)
		shown[c.name] = c.fact
		message = message || c.name == "message" && !c.fact
	}
	if r.columns != nil {
		return cells
	}
	var rest []string
	names := map[string]bool{}
	for name := range facts {
		names[name] = !shown[name]
	}
	for _, name := range inOrder(names, nil) {
		if names[name] {
			rest = append(rest, printable(name+"="+factText(facts[name])))
		}
	}
	if text := messageOf(l); text != "" && !message {
		rest = append(rest, text)
	}
	cells[len(r.shown)] = strings.Join(rest, "  ")
	return cells
}
