package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// resultColumn is one value of each result: a field, or a fact.
type resultColumn struct {
	name  string
	fact  bool
	field func(*tasks.ResultLine) any // of a field
}

// resultFields are the columns that every result has.
func resultFields() []resultColumn {
	field := func(name string, of func(*tasks.ResultLine) any) resultColumn {
		return resultColumn{name: name, field: of}
	}
	return []resultColumn{
		field("file", func(l *tasks.ResultLine) any { return l.File }),
		field("path", func(l *tasks.ResultLine) any { return pathOf(l) }),
		field("step", func(l *tasks.ResultLine) any { return l.Step }),
		field("outcome", func(l *tasks.ResultLine) any { return l.Outcome }),
		field("exit_code", func(l *tasks.ResultLine) any { return l.ExitCode }),
		field("code", func(l *tasks.ResultLine) any { return l.Code }),
		field("message", func(l *tasks.ResultLine) any { return messageOf(l) }),
		field("error", func(l *tasks.ResultLine) any { return l.Error }),
		field("output", func(l *tasks.ResultLine) any { return l.Output }),
		field("attempt", func(l *tasks.ResultLine) any { return l.Attempt }),
		field("worker", func(l *tasks.ResultLine) any { return l.Worker }),
		field("started_at", func(l *tasks.ResultLine) any { return l.StartedAt.UTC().Format(time.RFC3339Nano) }),
		field("ended_at", func(l *tasks.ResultLine) any { return l.EndedAt.UTC().Format(time.RFC3339Nano) }),
		field("reused_from", func(l *tasks.ResultLine) any { return l.ReusedFrom }),
		field("ran_at", func(l *tasks.ResultLine) any { return ranAt(l) }),
	}
}

// ranAt is when the handler ended whose result this is, also when the result was taken over.
func ranAt(l *tasks.ResultLine) string {
	if l.ReusedFrom == "" {
		return l.EndedAt.UTC().Format(time.RFC3339Nano)
	}
	return l.RanAt.UTC().Format(time.RFC3339Nano)
}

// csvFields are the fields of a CSV file without --columns. It leaves out message, which
// repeats other fields, and what only results have that were taken over.
func csvFields() []resultColumn {
	extra := []string{"message", "reused_from", "ran_at"}
	return slices.DeleteFunc(resultFields(), func(c resultColumn) bool { return slices.Contains(extra, c.name) })
}

// title names the column so that parseColumns reads it again.
func (c *resultColumn) title() string {
	if c.fact && slices.ContainsFunc(resultFields(), func(f resultColumn) bool { return f.name == c.name }) {
		return "facts." + c.name
	}
	return c.name
}

// parseColumns reads names of fields and facts. "facts." before a name makes it a
// fact even if a field has that name.
func parseColumns(names []string) []resultColumn {
	columns := make([]resultColumn, len(names))
	for i, name := range names {
		columns[i] = resultColumnOf(strings.TrimSpace(name))
	}
	return columns
}

func resultColumnOf(name string) resultColumn {
	fact, isFact := strings.CutPrefix(name, "facts.")
	for _, f := range resultFields() {
		if !isFact && f.name == name {
			return f
		}
	}
	return resultColumn{name: fact, fact: true}
}

// pathOf returns the path with its original bytes.
func pathOf(l *tasks.ResultLine) string {
	if l.PathBytes != nil {
		return string(l.PathBytes)
	}
	return l.Path
}

// messageOf returns the reason of a result on one line.
func messageOf(l *tasks.ResultLine) string {
	message := firstLine(l.Error)
	if message == "" {
		message = firstLine(l.Output)
	}
	switch {
	case l.Code == "":
		return message
	case message == "":
		return printable(l.Code)
	}
	return printable(l.Code) + ": " + message
}

// factsOf returns the facts of a result; nil when it has none.
func factsOf(l *tasks.ResultLine) map[string]json.RawMessage {
	var facts map[string]json.RawMessage
	if err := json.Unmarshal(l.Facts, &facts); err != nil {
		return nil // the recorder writes only objects
	}
	return facts
}

// factText is a fact as text: strings without quotes, everything else in JSON.
func factText(v json.RawMessage) string {
	var s string
	if len(v) == 0 || json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// text is the column's value for people and spreadsheets.
func (c *resultColumn) text(l *tasks.ResultLine, facts map[string]json.RawMessage) string {
	if c.fact {
		return factText(facts[c.name])
	}
	return fmt.Sprint(c.field(l))
}

// cell is the text on one line of a terminal.
func (c *resultColumn) cell(l *tasks.ResultLine, facts map[string]json.RawMessage) string {
	text := c.text(l, facts)
	if c.name == "path" && !c.fact {
		return quoted(text)
	}
	return printable(text)
}

// member is the column's name and value in a JSON object.
func (c *resultColumn) member(l *tasks.ResultLine, facts map[string]json.RawMessage) (string, error) {
	var value any
	switch {
	case !c.fact && c.name == "path":
		value = l.Path
	case !c.fact:
		value = c.field(l)
	case facts[c.name] != nil:
		value = facts[c.name]
	}
	name, err := jsonText(c.title())
	if err != nil {
		return "", err
	}
	text, err := jsonText(value)
	return name + ":" + text, err
}
