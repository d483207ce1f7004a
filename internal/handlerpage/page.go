// Package handlerpage writes the pages about handlers, in Markdown, from their registrations.
package handlerpage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/handlers"
)

// The marks around the part of a page that is written from the registration. What is outside
// of them is written by people.
const (
	begin = "<!-- made by make docs from the registration: change it there -->"
	end   = "<!-- end -->"
)

// Reference is the part of a page that a registration gives.
func Reference(r *handlers.Registration) string {
	var b strings.Builder
	kind := "Handler of steps"
	if r.Finalizer != nil {
		kind = "Handler of final steps"
	}
	fmt.Fprintf(&b, "%s: %s.\n", kind, strings.TrimSuffix(r.Description, "."))
	arguments(&b, r.Docs.Args)
	if len(r.Docs.Facts) > 0 {
		b.WriteString("\n| fact | |\n|---|---|\n")
		for _, f := range r.Docs.Facts {
			fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, cell(f.Text))
		}
	}
	if len(r.Docs.Codes) > 0 {
		b.WriteString("\n| code | outcome | |\n|---|---|---|\n")
		for _, c := range r.Docs.Codes {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, c.Outcome, cell(c.Text))
		}
	}
	if list := defaults(r); len(list) > 0 {
		b.WriteString("\n| otherwise | |\n|---|---|\n")
		for _, d := range list {
			fmt.Fprintf(&b, "| %s | %s |\n", d[0], d[1])
		}
	}
	return b.String()
}

func arguments(b *strings.Builder, args []handlers.ArgDoc) {
	if len(args) == 0 {
		b.WriteString("\nIt has no arguments.\n")
		return
	}
	b.WriteString("\n| `with` | type | default | |\n|---|---|---|---|\n")
	for _, a := range args {
		byDefault := "`" + a.Default + "`"
		switch {
		case a.Default == "":
			byDefault = ""
		case strings.Contains(a.Default, " ") && !strings.HasPrefix(a.Default, "{"), strings.Contains(a.Default, "`"):
			byDefault = a.Default // words
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", a.Name, a.Type, byDefault, cell(a.Text))
	}
}

// defaults are what a recipe and the configuration may set otherwise.
func defaults(r *handlers.Registration) (list [][2]string) {
	add := func(name, text string) { list = append(list, [2]string{name, text}) }
	if r.Batch.MaxItems > 0 {
		text := humanize.Comma(int64(r.Batch.MaxItems)) + " files"
		if r.Batch.MaxBytes > 0 {
			text += ", " + humanize.IBytes(uint64(r.Batch.MaxBytes))
		}
		add("largest batch", text)
	}
	if r.Timeouts.File > 0 {
		add("time limit of a file", r.Timeouts.File.String())
	}
	if r.Timeouts.Batch > 0 {
		add("time limit of a batch", r.Timeouts.Batch.String())
	}
	if r.Finalizer != nil {
		return list
	}
	add("attempts", strconv.Itoa(r.Retry.Attempts))
	add("slots of the host", r.Slots.String())
	add("[reuse](../reuse.md)", map[handlers.ReuseScope]string{
		handlers.ReuseNever: "never", handlers.ReuseByName: "`unchanged`, or `digest` with the same extension",
		handlers.ReuseByDigest: "`unchanged` or `digest`",
	}[r.Reuse])
	return list
}

// cell keeps a text within its column.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// Page is the page about the handlers of one name, a handler and a final step perhaps. was is
// the page as it is, of which the part between the marks is replaced; empty for a new one.
func Page(name, was string, of ...handlers.Registration) string {
	parts := make([]string, len(of))
	for i := range of {
		parts[i] = Reference(&of[i])
	}
	made := begin + "\n\n" + strings.Join(parts, "\n") + "\n" + end + "\n"
	before, rest, ok := strings.Cut(was, begin)
	_, after, closed := strings.Cut(rest, end+"\n")
	switch {
	case was == "":
		return "# " + name + "\n\n" + made
	case ok && closed:
		return before + made + after
	}
	return strings.TrimRight(was, "\n") + "\n\n## Reference\n\n" + made
}
