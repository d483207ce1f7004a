package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// transferPage is the page of one transfer. It follows the transfer while that runs.
type transferPage struct {
	page

	opts     *Options
	counting countAhead
}

type transferView struct {
	layout
	Self    string
	Row     row
	Tabs    []tab
	Live    string // address of the transfer's events; empty once it has ended
	Problem string // why there is nothing to show
	Trouble string
	Took    string
	Lanes   []lane
	Final   []finalItem
	Times   timeBars

	Results, Bytes chart
	Gantt          gantt
	Working        []workingItem
	LongFiles      []longItem
	Sizes          []histogramRow
	Slowest        []slowItem
	Events         []eventItem

	Sources         []string
	Recipe          string
	Flow            []flowStep
	Queue, Via, Key string
	Number          int64
	Weight          int
	StopAfter       string // empty: never
	Deadline        string // empty: none
	CanPause        bool
	CanResume       bool
	CanCancel       bool
	CanDecide       bool
	CanUpdate       bool   // its deadline
	CanWeigh        bool   // others have no share by their weight
	Gate            string // the step that waits for approval
	CanRetry        bool
	Whole           bool // whoever looks at it may read the audit log
}

// lane is one step with its results as a stacked bar.
type lane struct {
	Name, Handler    string
	Selected, Done   string
	Failed           string // empty when none failed
	Reused           string // results taken over from earlier transfers; empty when none was
	Bar              bar
	Link, FailedLink string
}

// finalItem is one final step.
type finalItem struct {
	Name, Error string
	Progress    string // while it runs
	State       status
	Outputs     []outputItem
}

func newTransferPage(opts *Options) (*transferPage, error) {
	p, err := newPage(opts, "transfer.html", "/")
	return &transferPage{page: p, opts: opts}, err
}

func (p *transferPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := transferView{layout: p.layoutFor(r), Self: r.URL.Path, Whole: may(r, "GET /audit")}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.PathValue("id")); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	view.forWhoever(r)
	p.send(w, r, status, wanted(r), view)
}

func (p *transferPage) fill(ctx context.Context, v *transferView, id string) error {
	t, err := p.opts.Transfers.Transfer(ctx, id)
	if err != nil {
		return err
	}
	now := p.opts.Now()
	var activity []ledger.Activity
	if p.opts.History != nil {
		if activity, err = p.opts.History.LastActivity(ctx, t.ID, shownSlots); err != nil {
			return err
		}
	}
	v.Row, v.Trouble = rowOf(&t, activity, now), visible(t.Trouble)
	v.Tabs = tabsOf(p.opts, &t, "")
	for _, source := range t.Sources {
		v.Sources = append(v.Sources, visible(source))
	}
	v.Flow, _ = flowOf(t.Recipe)
	v.Recipe, v.Queue, v.Number, v.Weight = visible(t.Recipe), visible(t.Queue), t.ID, max(t.Weight, 1)
	v.Deadline = deadlineOf(&t, now)
	if t.StopAfter != (tasks.StopAfter{}) {
		v.StopAfter = t.StopAfter.String() + " of failures"
		if n := t.StopAfter.Count; n > 0 {
			v.StopAfter = english.Plural(int(n), "failure", "")
		}
	}
	v.Via, v.Key = string(t.Via), visible(t.Key)
	v.Took = forPeople(time.Duration(tasks.Summarize(&t, now).Seconds * float64(time.Second)))
	for i := range t.Steps {
		v.Lanes = append(v.Lanes, laneOf(&t, &t.Steps[i], nil))
	}
	v.Times = timeBarsOf(t.WallTime)
	v.actions(&t, p.opts.Control != nil)
	p.counting.begin(p.opts, &t) //nolint:contextcheck // it outlives the request
	v.Results, v.Bytes = ratesOf(activity)
	if err := p.final(ctx, v, &t); err != nil {
		return err
	}
	if err := p.longFiles(ctx, v, &t, now); err != nil {
		return err
	}
	return p.history(ctx, v, &t, activity, now)
}

// forWhoever leaves out what whoever looks at the page may not do.
func (v *transferView) forWhoever(r *http.Request) {
	v.CanPause = v.CanPause && may(r, "POST /transfers/{id}/pause")
	v.CanResume = v.CanResume && may(r, "POST /transfers/{id}/resume")
	v.CanUpdate = v.CanUpdate && may(r, "POST /transfers/{id}/update")
	v.CanWeigh = v.CanWeigh && v.CanUpdate
	v.CanDecide = v.CanDecide && may(r, "POST /transfers/{id}/approve")
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
	v.CanUpdate = v.CanCancel
	v.CanWeigh = v.CanUpdate && t.Via == tasks.ViaBulk
	for i := range t.Steps {
		if s := &t.Steps[i]; s.Approval == tasks.ApprovalWaiting && s.Selected > s.Total() && !v.CanDecide {
			v.Gate, v.CanDecide = s.Name, allowed && !t.State.Ended()
		}
	}
	results := t.Totals()
	v.CanRetry = allowed && results.Failures()+results.Canceled > 0
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

// laneOf draws a step. running are the files of its batches that workers run.
func laneOf(t *tasks.Transfer, s *tasks.StepProgress, running map[int]int64) lane {
	l := lane{
		Name: visible(s.Name), Handler: visible(s.Handler), Selected: humanize.Comma(s.Selected), Done: humanize.Comma(s.Total()),
		Link:       resultsLink(t, s.Name, "", 0),
		FailedLink: "/transfers/" + t.UUID + "/failures?" + url.Values{"step": {s.Name}}.Encode(),
	}
	if n := s.Failures(); n > 0 {
		l.Failed = humanize.Comma(n)
	}
	parts := outcomeParts(&s.Counts)
	if left := s.Selected - s.Total(); left > 0 && !t.State.Ended() {
		now := min(running[s.Number], left)
		parts = append(parts, part{"busy", "running", now}, part{"wait", "waiting", left - now})
	}
	l.Bar = barOf(parts, max(s.Selected, s.Total(), 1))
	if s.Reused > 0 {
		l.Reused = humanize.Comma(s.Reused)
		l.Bar.Text += ", " + l.Reused + " of them reused"
	}
	if l.Bar.Text == "" {
		l.Bar.Text = "no files yet"
	}
	return l
}

func stepNames(t *tasks.Transfer) map[int]string {
	names := make(map[int]string, len(t.Steps))
	for _, s := range t.Steps {
		names[s.Number] = visible(s.Name)
	}
	return names
}

// finalState describes the state of a final step.
func finalState(s tasks.FinalizeState) status {
	switch s {
	case tasks.FinalizeDone:
		return status{string(s), "good"}
	case tasks.FinalizeFailed:
		return status{string(s), "bad"}
	case tasks.FinalizeRunning:
		return status{string(s), "busy"}
	case tasks.FinalizeWaiting, tasks.FinalizeCanceled:
	}
	return status{string(s), "off"}
}

func (p *transferPage) final(ctx context.Context, v *transferView, t *tasks.Transfer) error {
	if len(t.Finalizers) == 0 {
		return nil
	}
	outputs, err := outputsOf(ctx, p.opts.Outputs, t)
	if err != nil {
		return err
	}
	for _, f := range t.Finalizers {
		v.Final = append(v.Final, finalItem{
			Name: visible(f.Name), Error: strings.TrimSpace(visible(f.Error)), State: finalState(f.State), Outputs: outputs[f.Name],
			Progress: progressText(f.Progress),
		})
	}
	return nil
}

// deadlineOf is the deadline of a transfer with the time that is left, empty without one.
func deadlineOf(t *tasks.Transfer, now time.Time) string {
	if t.DeadlineAt.IsZero() {
		return ""
	}
	return t.DescribeDeadline(now, func(at time.Time) string { return momentOf(at, now).Full }, forPeople)
}
