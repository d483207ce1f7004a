package report

import (
	"cmp"
	"context"
	_ "embed" // the page and its style
	"html/template"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/identify"
	"github.com/balerhq/baler/internal/visible"
	"github.com/balerhq/baler/tasks"
)

//go:embed assets/page.html
var pageText string

//go:embed assets/style.css
var styleText string

// pageTemplate is parsed once a process.
//
//nolint:gochecknoglobals // see above
var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{
		"count": humanize.Comma, "size": size, "when": when, "visible": visible.Text, "lines": visible.Lines, "percent": percent,
	}).Parse(pageText)
})

// page is what the page shows.
type page struct {
	outcomes

	Title     string
	Style     template.CSS
	Transfer  tasks.Transfer
	Files     profile
	Took      string
	Final     []tasks.FinalizeStep // those that have ended before this one
	Software  []software
	Made      time.Time
	Selection string
}

// software is a program with its version.
type software struct{ Name, Version string }

// writePage writes the report as one HTML page without scripts.
func writePage(ctx context.Context, c *handlers.TransferJob, args *reportArgs) error {
	t := c.Transfer()
	p := page{
		Title: visible.Text(cmp.Or(args.Title, t.Name, "Transfer report")), Style: template.CSS(styleText), //nolint:gosec // our own
		Transfer: t, Software: programs(c.Version()), Made: c.Now(), Selection: visible.Text(t.Selection.String()),
	}
	for _, s := range t.Finalizers {
		if s.State == tasks.FinalizeDone || s.State == tasks.FinalizeFailed {
			p.Final = append(p.Final, s)
		}
	}
	var err error
	if p.Files, err = profileOf(ctx, c); err != nil {
		return err
	}
	if p.outcomes, err = outcomesOf(ctx, c); err != nil {
		return err
	}
	p.Took = duration(p.First, p.Last)
	if t.ClockShift != 0 { // the times of the results are by two clocks
		p.Took = duration(time.Time{}, time.Time{})
	}
	tmpl, err := pageTemplate()
	if err != nil {
		return err
	}
	return c.Create(args.To, func(w io.Writer) error {
		if err := tmpl.Execute(w, &p); err != nil {
			return handlers.RetryLater(handlers.CodeIO, err)
		}
		return nil
	})
}

// programs names what has made the results.
func programs(version string) []software {
	list := []software{{"Baler", version}, {"Go", strings.TrimPrefix(runtime.Version(), "go")}}
	if signatures, err := identify.Release(); err == nil {
		name, what, _ := strings.Cut(signatures, ": ")
		list = append(list, software{"Format signatures (" + name + ")", what})
	}
	return list
}

// Good reports whether nothing has failed.
func (p *page) Good() bool {
	failed := p.Failures.Files > 0
	for _, s := range p.Final {
		failed = failed || s.State == tasks.FinalizeFailed
	}
	return !failed
}

// size is a number of bytes for people.
func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

func when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// duration is the time between two instants, as precise as people read it.
func duration(from, to time.Time) string {
	d := to.Sub(from)
	switch {
	case from.IsZero() || d < 0:
		return "–"
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
