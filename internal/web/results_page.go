package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// shownResults is the number of results on a page.
const shownResults = 50

// maxText is how much of an output or an error a page shows, in bytes.
const maxText = 16 << 10

// resultsPage lists the results of a transfer, with filters.
type resultsPage struct {
	page

	opts *Options
}

type resultsView struct {
	layout
	Transfer, Name string
	Tabs           []tab
	Problem        string
	Step, Outcome  string
	File           int64
	Steps          []string
	Outcomes       []tasks.Outcome
	Rows           []resultItem
	Next           string // address of the next page; empty on the last
}

type resultItem struct {
	File, Path, Step, Code, Error, Output, Worker, Took, Started, Href string

	Reused  string // the transfer that the result was taken over from; empty when the handler ran
	State   status
	Facts   []fact
	Attempt int
	Cut     bool // the output is longer than shown
	Open    bool // whether to show the output at once
}

type fact struct{ Name, Value string }

func newResultsPage(opts *Options) (*resultsPage, error) {
	p, err := newPage(opts, "results.html", "/")
	return &resultsPage{p, opts}, err
}

func (p *resultsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := resultsView{layout: p.layoutFor(r), Outcomes: tasks.Outcomes(), Transfer: r.PathValue("id")}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.URL.Query()); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}

func (p *resultsPage) fill(ctx context.Context, v *resultsView, q url.Values) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	v.Name, v.Tabs = rowOf(&t, nil, p.opts.Now()).Name, tabsOf(p.opts, &t, "results")
	filter := p.filter(v, &t, q)
	after, err := api.DecodeResultToken(q.Get("after"))
	if err != nil {
		return &api.RequestError{Missing: true, Err: errNoPage}
	}
	rows, err := p.opts.Results.Results(ctx, t, filter, after, shownResults+1)
	if err != nil {
		return err
	}
	if len(rows) > shownResults {
		rows = rows[:shownResults]
		q.Set("after", api.EncodeResultToken(rows[shownResults-1].Key()))
		v.Next = "?" + q.Encode()
	}
	names := stepNames(&t)
	for i := range rows {
		item := resultItemOf(&rows[i], names[rows[i].Step])
		item.Href, item.Output = fileLink(&t, rows[i].File), "" // the page of the file shows it
		item.Error, _, _ = strings.Cut(item.Error, "\n")
		v.Rows = append(v.Rows, item)
	}
	return nil
}

// filter reads the filter of a query. A value that no transfer has selects everything.
func (p *resultsPage) filter(v *resultsView, t *tasks.Transfer, q url.Values) (f tasks.ResultSelector) {
	for _, s := range t.Steps {
		name := visible(s.Name)
		v.Steps = append(v.Steps, name)
		if name == q.Get("step") {
			f.Step, v.Step = s.Number, name
		}
	}
	if o := tasks.Outcome(q.Get("outcome")); slices.Contains(v.Outcomes, o) {
		f.Outcomes, v.Outcome = []tasks.Outcome{o}, string(o)
	}
	if n, err := strconv.ParseInt(q.Get("file"), 10, 64); err == nil && n > 0 {
		f.File, v.File = n, n
	}
	return f
}

func resultItemOf(r *tasks.ResultRow, step string) resultItem {
	item := resultItem{
		File: humanize.Comma(r.File), Path: visible(r.Path), Step: step,
		State: status{wordsOf(r.Outcome), toneOf(r.Outcome)}, Code: visible(r.Code), Worker: visible(r.Worker), Attempt: r.Attempt,
		Took: forPeople(r.EndedAt.Sub(r.StartedAt)), Started: r.StartedAt.UTC().Format("2006-01-02 15:04:05"),
	}
	if r.Reused != nil {
		item.Reused = fmt.Sprintf("file %d of transfer %s", r.Reused.File, r.Reused.Transfer)
	}
	var cutError, cutOutput bool
	item.Error, cutError = head(r.Error)
	item.Output, cutOutput = head(r.Output)
	item.Cut = cutError || cutOutput || r.Truncated
	for name, value := range factsOf(r.Facts) {
		text, _ := head(value)
		item.Facts = append(item.Facts, fact{visible(name), text})
	}
	slices.SortFunc(item.Facts, func(a, b fact) int { return strings.Compare(a.Name, b.Name) })
	return item
}

// head is the beginning of a long text.
func head(text string) (shown string, cut bool) {
	if len(text) <= maxText {
		return visible(text), false
	}
	return visible(text[:maxText]), true
}

func toneOf(o tasks.Outcome) string {
	switch {
	case o.IsFailure():
		return "bad"
	case o == tasks.OutcomeWarning:
		return "warn"
	case o == tasks.OutcomeSucceeded:
		return "good"
	}
	return "off"
}
