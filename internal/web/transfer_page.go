package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// shownFailures is how many groups of failures the page of a transfer shows.
const shownFailures = 20

// transferPage is the page of one transfer. It follows the transfer while that runs.
type transferPage struct {
	page

	opts   *Options
	layout layout
}

type transferView struct {
	layout
	Row      row
	Live     string // address of the transfer's events; empty once it has ended
	Problem  string // why there is nothing to show
	Waiting  string
	Trouble  string
	Rate     string // files a second; empty before any has finished
	Left     string // time left; empty when it is unknown
	Took     string
	Lanes    []lane
	Final    []tasks.FinalizeSummary
	Failures []failureItem
	More     bool // there are more groups of failures
	Sources  []string
	Recipe   string
	Queue    string
	Number   int64

	CanPause, CanResume, CanCancel, CanRetry bool
}

// lane is one step with its results as a stacked bar.
type lane struct {
	Name, Handler  string
	Selected, Done string
	Failed         string // empty when none failed
	Segments       []segment
	Text           string // the bar in words
	Link           string // to the step's results
}

// segment is a part of a bar, in percent of its width.
type segment struct {
	Tone     string
	X, Width string
}

type failureItem struct {
	Files, Step, Outcome, Code, Message, Path, Link string
}

func newTransferPage(opts *Options) (*transferPage, error) {
	p, err := newPage(opts, "transfer.html")
	return &transferPage{p, opts, layoutOf(opts)}, err
}

func (p *transferPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := transferView{layout: p.layout}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.PathValue("id")); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	view.forWhoever(r)
	part := "layout"
	if r.URL.Query().Has("part") {
		part = "live"
	}
	p.send(w, r, status, part, view)
}

func (p *transferPage) fill(ctx context.Context, v *transferView, id string) error {
	t, err := p.opts.Transfers.Transfer(ctx, id)
	if err != nil {
		return err
	}
	s := tasks.Summarize(&t, p.opts.Now())
	v.Row, v.Waiting, v.Trouble, v.Final = rowOf(&t), visible(t.WaitingFor), visible(t.Trouble), s.Finalizers
	for i := range v.Final {
		v.Final[i].Error = visible(v.Final[i].Error)
	}
	for _, source := range t.Sources {
		v.Sources = append(v.Sources, visible(source))
	}
	v.Recipe, v.Queue, v.Number = visible(t.Recipe), t.Queue, t.ID
	v.Took = forPeople(time.Duration(s.Seconds * float64(time.Second)))
	if s.FilesPerSecond > 0 {
		v.Rate = humanize.CommafWithDigits(s.FilesPerSecond, 1)
		if left := t.Files - t.Finished; t.State == tasks.StateRunning && left > 0 {
			v.Left = forPeople(time.Duration(float64(left) / s.FilesPerSecond * float64(time.Second)))
		}
	}
	for i := range t.Steps {
		v.Lanes = append(v.Lanes, laneOf(&t, &t.Steps[i]))
	}
	v.actions(&t, p.opts.Control != nil)
	return p.failures(ctx, v, &t)
}

// forWhoever leaves out what whoever looks at the page may not do.
func (v *transferView) forWhoever(r *http.Request) {
	v.CanPause = v.CanPause && may(r, "POST /transfers/{id}/pause")
	v.CanResume = v.CanResume && may(r, "POST /transfers/{id}/resume")
	v.CanCancel = v.CanCancel && may(r, "POST /transfers/{id}/cancel")
	v.CanRetry = v.CanRetry && may(r, "POST /transfers/{id}/retry")
}

func (v *transferView) actions(t *tasks.Transfer, allowed bool) {
	if !t.State.Ended() {
		v.Live = api.Root + "/transfers/" + t.UUID + "/events"
	}
	paused := !t.PausedAt.IsZero()
	v.CanPause = allowed && !t.State.Ended() && !paused
	v.CanResume = allowed && !t.State.Ended() && paused
	v.CanCancel = allowed && !t.State.Ended()
	results := t.Totals()
	v.CanRetry = allowed && results.Failures()+results.Canceled > 0
}

// failures reads the groups of failures, unless there are none.
func (p *transferPage) failures(ctx context.Context, v *transferView, t *tasks.Transfer) error {
	results := t.Totals()
	if p.opts.Results == nil || results.Failures() == 0 {
		return nil
	}
	groups, err := p.opts.Results.Failures(ctx, *t, tasks.ResultFilter{}, shownFailures+1)
	if err != nil {
		return err
	}
	if v.More = len(groups) > shownFailures; v.More {
		groups = groups[:shownFailures]
	}
	names := make(map[int]string)
	for _, s := range t.Steps {
		names[s.Number] = s.Name
	}
	for _, g := range groups {
		v.Failures = append(v.Failures, failureItem{
			Files: humanize.Comma(g.Files), Step: names[g.Step], Outcome: strings.ReplaceAll(string(g.Outcome), "_", " "), Code: g.Code,
			Message: visible(g.Message), Path: visible(g.Path),
			Link: resultsLink(t, names[g.Step], string(g.Outcome), 0),
		})
	}
	return nil
}

func resultsLink(t *tasks.Transfer, step, outcome string, file int64) string {
	q := url.Values{}
	if step != "" {
		q.Set("step", step)
	}
	if outcome != "" {
		q.Set("outcome", outcome)
	}
	if file > 0 {
		q.Set("file", strconv.FormatInt(file, 10))
	}
	return "/transfers/" + t.UUID + "/results?" + q.Encode()
}

func laneOf(t *tasks.Transfer, s *tasks.Step) lane {
	l := lane{
		Name: s.Name, Handler: s.Handler, Selected: humanize.Comma(s.Selected), Done: humanize.Comma(s.Total()),
		Link: resultsLink(t, s.Name, "", 0),
	}
	if n := s.Failures(); n > 0 {
		l.Failed = humanize.Comma(n)
	}
	parts := []struct {
		tone, word string
		n          int64
	}{
		{"good", "succeeded", s.Succeeded},
		{"warn", "with warning", s.Warning},
		{"skipped", "skipped", s.Skipped},
		{"bad", "failed", s.Failures()},
		{"off", "canceled", s.Canceled},
	}
	whole := float64(max(s.Selected, s.Total(), 1))
	var words []string
	x := 0.0
	for _, part := range parts {
		if part.n == 0 {
			continue
		}
		width := float64(part.n) / whole * 100
		l.Segments = append(l.Segments, segment{part.tone, percent(x), percent(max(width, 0.4))}) // one among millions can be seen
		x += width
		words = append(words, humanize.Comma(part.n)+" "+part.word)
	}
	if waiting := s.Selected - s.Total(); waiting > 0 {
		words = append(words, humanize.Comma(waiting)+" to do")
	}
	l.Text = strings.Join(words, ", ")
	if l.Text == "" {
		l.Text = "no files yet"
	}
	return l
}

func percent(p float64) string { return strconv.FormatFloat(p, 'f', 2, 64) + "%" }

// forPeople rounds a duration to two units.
func forPeople(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
