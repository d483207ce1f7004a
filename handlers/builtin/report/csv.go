package report

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/visible"
)

// maxColumns bounds the facts that get a column of their own. A recipe has some dozens.
const maxColumns = 1000

// CodeColumnsMissing says that the files have more facts than a table has columns.
const CodeColumnsMissing = "columns-missing"

// writeResults writes a table with a row for each result of the collection.
func writeResults(ctx context.Context, c *handlers.TransferJob, to string) error {
	return writeTable(c, to, func(row func(cells ...string) error) error {
		err := row("transfer", "file", "path", "step", "outcome", "exit_code", "code", "error", "attempt", "worker",
			"started_at", "ended_at", "facts")
		if err != nil {
			return err
		}
		for l, err := range c.Results(ctx) {
			if err != nil {
				return err
			}
			path := l.Path
			if l.PathBytes != nil {
				path = string(l.PathBytes)
			}
			if err := row(l.Transfer, number(l.File), path, l.Step, string(l.Outcome), strconv.Itoa(l.ExitCode), l.Code, l.Error,
				strconv.Itoa(l.Attempt), l.Worker, instant(l.StartedAt), instant(l.EndedAt), string(l.Facts)); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeFiles writes a table with a row for each file of the collection, and a column for
// each fact that a file has. It reads the files twice: first for the names of the columns.
func writeFiles(ctx context.Context, c *handlers.TransferJob, to string) error {
	facts, all, err := factNames(ctx, c)
	if err != nil {
		return err
	}
	err = writeTable(c, to, func(row func(cells ...string) error) error {
		if err := row(append([]string{"transfer", "file", "path", "part", "bytes", "modified"}, facts...)...); err != nil {
			return err
		}
		for f, err := range c.Files(ctx) {
			if err != nil {
				return err
			}
			part := ""
			if f.Part > 0 {
				part = number(f.Part)
			}
			cells := []string{f.Transfer, number(f.No), f.Path, part, number(f.Size), instant(f.MTime)}
			for _, name := range facts {
				cells = append(cells, factText(f.Facts[name]))
			}
			if err := row(cells...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || all == len(facts) {
		return err
	}
	return handlers.Warn(CodeColumnsMissing, fmt.Sprintf(
		"the files have more than %d facts: the others have no column; the JSON lines of `baler results` have all", maxColumns))
}

// factNames lists the facts of all files, and says how many names it came across: one more
// than it lists when there are too many.
func factNames(ctx context.Context, c *handlers.TransferJob) (names []string, all int, err error) {
	known := make(map[string]bool)
	for f, err := range c.Files(ctx) {
		if err != nil {
			return nil, 0, err
		}
		for name := range f.Facts {
			if known[name] {
				continue
			}
			if len(known) == maxColumns {
				return slices.Sorted(maps.Keys(known)), maxColumns + 1, nil
			}
			known[name] = true
		}
	}
	return slices.Sorted(maps.Keys(known)), len(known), nil
}

// factText is a fact as a cell: text as it is, anything else as JSON.
func factText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(value)
	if err != nil { // facts come out of JSON
		return fmt.Sprint(value)
	}
	return string(text)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// writeTable writes CSV (RFC 4180) whose cells do no harm in a terminal or a spreadsheet.
func writeTable(c *handlers.TransferJob, to string, fill func(row func(cells ...string) error) error) error {
	return c.Create(to, func(w io.Writer) error {
		table := csv.NewWriter(w)
		table.UseCRLF = true
		err := fill(func(cells ...string) error {
			for i := range cells {
				cells[i] = harmless(cells[i])
			}
			if err := table.Write(cells); err != nil {
				return handlers.RetryLater(handlers.CodeIO, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if table.Flush(); table.Error() != nil {
			return handlers.RetryLater(handlers.CodeIO, table.Error())
		}
		return nil
	})
}

// harmless returns a cell without terminal control sequences, which no spreadsheet
// interprets as a formula: such text gets an apostrophe before it, by which spreadsheets
// mark text. Numbers stay.
func harmless(cell string) string {
	cell = visible.Text(cell)
	if strings.TrimLeft(cell, " ") == "" || !strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", []rune(strings.TrimLeft(cell, " "))[0]) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
