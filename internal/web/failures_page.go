package web

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// How much the page of failures shows.
const (
	shownFailures = 50 // groups
	shownExamples = 20 // files
)

// failuresPage shows what failed in a transfer, by kind, and runs it again.
type failuresPage struct {
	page

	opts *Options
}

type failuresView struct {
	layout
	Self, Transfer, Name, Live string
	Tabs                       []tab
	Problem, Retried, Canceled string
	Steps                      []string
	Outcomes                   []option
	Filter                     filterForm
	Filtered                   bool
	Total, TotalRuns           string // failures that the filter selects
	OnlyFirst                  string // which failures the groups count; empty: all
	Groups                     []failureItem
	More                       bool // there are more groups
	Examples                   []exampleItem
	Next                       string
	MayRetry, CanRetry         bool
	CanCancel                  bool
	CanCancelFiles             bool
}

type failureItem struct {
	ID, Files, Runs, Step, OutcomeWords, Code, Message, Path, Href, FileHref string

	First, Last moment
	Filter      filterForm
}

// exampleItem is a failed file with what its handler wrote.
type exampleItem struct {
	resultItem

	Key, Href string
	Filter    filterForm
}

func newFailuresPage(opts *Options) (*failuresPage, error) {
	p, err := newPage(opts, "failures.html", "/")
	return &failuresPage{p, opts}, err
}

func (p *failuresPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := failuresView{layout: p.layoutFor(r), Self: r.URL.RequestURI(), Transfer: r.PathValue("id"), Name: unnamedTransfer}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.URL.Query()); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	view.forWhoever(r)
	p.send(w, r, status, wanted(r), view)
}

// forWhoever leaves out what whoever looks at the page may not do.
func (v *failuresView) forWhoever(r *http.Request) {
	v.MayRetry = v.MayRetry && may(r, "POST /transfers/{id}/retry")
	v.CanRetry = v.CanRetry && v.MayRetry
	v.CanCancel = v.CanCancel && may(r, "POST /transfers/{id}/cancel")
	v.CanCancelFiles = v.CanCancelFiles && may(r, "POST /transfers/{id}/cancel-files")
}

func (p *failuresPage) fill(ctx context.Context, v *failuresView, q url.Values) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	now := p.opts.Now()
	v.Name, v.Tabs = rowOf(&t, nil, now).Name, tabsOf(p.opts, &t, "failures")
	for _, s := range t.Steps {
		v.Steps = append(v.Steps, visible(s.Name))
	}
	for _, o := range failedOutcomes() {
		v.Outcomes = append(v.Outcomes, option{string(o), wordsOf(o)})
	}
	v.Filter = filterOf(&t, q)
	v.Filtered = v.Filter != filterForm{}
	if n, err := strconv.ParseInt(q.Get("retried"), 10, 64); err == nil && n >= 0 {
		v.Retried = runs(n, "file", true) + " again."
	}
	v.Canceled = canceledWords(q.Get("canceled"))
	v.MayRetry = p.opts.Control != nil
	v.CanCancel = v.MayRetry && !t.State.Ended()
	v.CanCancelFiles = v.CanCancel
	if !t.State.Ended() {
		v.Live = api.Root + "/transfers/" + t.UUID + "/events"
	}
	if err := p.groups(ctx, v, &t, now); err != nil {
		return err
	}
	if !v.Filter.Kind && v.Filter.File == 0 {
		return nil
	}
	return p.examples(ctx, v, &t, q)
}

// canceledWords says how many files were canceled, as an address has it; empty when it does
// not.
func canceledWords(number string) string {
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil || n < 0:
		return ""
	case n == 0:
		return "Nothing was canceled: these files have ended, or were canceled before."
	case n == 1:
		return "1 file goes no further. If it runs, it ends this step first."
	}
	return humanize.Comma(n) + " files go no further. Those that run end this step first."
}

func failedOutcomes() []tasks.Outcome {
	return slices.DeleteFunc(tasks.Outcomes(), func(o tasks.Outcome) bool { return !o.IsFailure() })
}

func wordsOf(o tasks.Outcome) string { return strings.ReplaceAll(string(o), "_", " ") }

func (p *failuresPage) groups(ctx context.Context, v *failuresView, t *tasks.Transfer, now time.Time) error {
	results := t.Totals()
	if results.Failures() == 0 {
		return nil
	}
	groups, err := p.opts.Results.Failures(ctx, *t, v.Filter.failures(t), shownFailures+1)
	if err != nil {
		return err
	}
	if v.More = len(groups) > shownFailures; v.More {
		groups = groups[:shownFailures]
	}
	steps := stepNames(t)
	var total int64
	all := t.CountsAllFailures(v.Filter.failures(t).Step)
	if !all {
		v.OnlyFirst = fmt.Sprintf("So many files have failed that the kinds count the first %s failures of each step, "+
			"of %s in all. What runs again is all of a kind.",
			humanize.Comma(tasks.MaxCountedFailures), humanize.Comma(results.Failures()))
	}
	for i := range groups {
		g := &groups[i]
		total += g.Files
		f := filterForm{Step: steps[g.Step], Outcome: string(g.Outcome), Kind: true, Code: g.Code, Message: g.Message}
		v.Groups = append(v.Groups, failureItem{
			ID: f.id(), Files: humanize.Comma(g.Files), Runs: runs(g.Files, "file", all),
			Step: steps[g.Step], OutcomeWords: wordsOf(g.Outcome), Code: visible(g.Code),
			Message: visible(g.Message), Path: visible(g.Path), Href: "/transfers/" + t.UUID + "/failures?" + f.query().Encode(),
			FileHref: fileLink(t, g.Example), First: momentOf(g.First, now), Last: momentOf(g.Last, now), Filter: f,
		})
	}
	if !v.Filtered {
		total = results.Failures()
	}
	v.Total, v.TotalRuns = humanize.Comma(total), runs(total, "failure", !v.Filtered || all && !v.More)
	v.CanRetry = v.MayRetry && (total > 0 || !all)
	return nil
}

// runs says how many things run again; all says that there are no more of them.
func runs(n int64, thing string, all bool) string {
	text := humanize.Comma(n) + " " + thing + "s run"
	if n == 1 {
		text = "1 " + thing + " runs"
	}
	if !all {
		text = "at least " + text
	}
	return text
}

func (p *failuresPage) examples(ctx context.Context, v *failuresView, t *tasks.Transfer, q url.Values) error {
	after, err := api.DecodeResultToken(q.Get("after"))
	if err != nil {
		return &api.RequestError{Missing: true, Err: errNoPage}
	}
	rows, err := p.opts.Results.Results(ctx, *t, v.Filter.failures(t), after, shownExamples+1)
	if err != nil {
		return err
	}
	if len(rows) > shownExamples {
		rows = rows[:shownExamples]
		next := v.Filter.query()
		next.Set("after", api.EncodeResultToken(rows[shownExamples-1].Key()))
		v.Next = "?" + next.Encode()
	}
	steps := stepNames(t)
	for i := range rows {
		item := resultItemOf(&rows[i], steps[rows[i].Step])
		item.Open = len(rows) == 1
		v.Examples = append(v.Examples, exampleItem{
			resultItem: item, Key: fmt.Sprintf("%d-%d", rows[i].Step, rows[i].File), Href: fileLink(t, rows[i].File),
			Filter: filterForm{Step: steps[rows[i].Step], Outcome: string(rows[i].Outcome), File: rows[i].File},
		})
	}
	return nil
}

// filterForm is a selection of failures as forms and addresses carry it.
type filterForm struct {
	Step, Outcome string
	File          int64
	Kind          bool // Code and Message count, also when they are empty
	Code, Message string
}

// filterOf reads a filter. What the transfer does not have selects everything.
func filterOf(t *tasks.Transfer, q url.Values) (f filterForm) {
	for _, s := range t.Steps {
		if visible(s.Name) == q.Get("step") {
			f.Step = q.Get("step")
		}
	}
	if o := tasks.Outcome(q.Get("outcome")); slices.Contains(tasks.Outcomes(), o) {
		f.Outcome = string(o)
	}
	if n, err := strconv.ParseInt(q.Get("file"), 10, 64); err == nil && n > 0 {
		f.File = n
	}
	if q.Get("kind") != "" {
		f.Kind, f.Code, f.Message = true, q.Get("code"), q.Get("message")
	}
	return f
}

func (f *filterForm) query() url.Values {
	q := url.Values{}
	if f.Step != "" {
		q.Set("step", f.Step)
	}
	if f.Outcome != "" {
		q.Set("outcome", f.Outcome)
	}
	if f.File > 0 {
		q.Set("file", strconv.FormatInt(f.File, 10))
	}
	if f.Kind {
		q.Set("kind", "1")
		q.Set("code", f.Code)
		q.Set("message", f.Message)
	}
	return q
}

// id names the filter within a page.
func (f *filterForm) id() string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(f.query().Encode())) // it never fails
	return "g" + strconv.FormatUint(h.Sum64(), 36)
}

// filter is what the form selects.
func (f *filterForm) filter(t *tasks.Transfer) tasks.ResultSelector {
	r := tasks.ResultSelector{File: f.File, Exactly: f.Kind, Code: f.Code, Message: f.Message}
	for _, s := range t.Steps {
		if f.Step != "" && visible(s.Name) == f.Step {
			r.Step = s.Number
		}
	}
	if f.Outcome != "" {
		r.Outcomes = []tasks.Outcome{tasks.Outcome(f.Outcome)}
	}
	return r
}

// failures is what the form selects of the failures.
func (f *filterForm) failures(t *tasks.Transfer) tasks.ResultSelector {
	r := f.filter(t)
	if len(r.Outcomes) == 0 {
		r.Outcomes = failedOutcomes()
	}
	return r
}
