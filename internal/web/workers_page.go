package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// workersPage shows what transfers run on, and steers it.
type workersPage struct {
	page

	opts *Options
}

type workersView struct {
	layout
	Problem, Failed, QueueProblem string
	Slots                         string
	Workers                       []workerItem
	Queues                        []queueItem
	Limits                        []limitItem
	MaySteer, MayLimit            bool
	Limit                         limitForm
}

type workerItem struct {
	ID, Name, Slots, Handlers, Queues, Throttled, Version string

	State   status
	Running bool
	Seen    moment
}

type queueItem struct {
	ID, Name, Pending, Active, Retrying, Age string

	Weight int // that a person has set; 0: that of the configuration of its workers

	Paused bool
}

type limitItem struct{ Scope, Name, InFlight, Rate, PerHost, Trouble, Note string }

func newWorkersPage(opts *Options) (*workersPage, error) {
	p, err := newPage(opts, "workers.html", "/workers")
	return &workersPage{p, opts}, err
}

// view is the page for whoever has sent a request, before it is filled.
func (p *workersPage) view(r *http.Request) workersView {
	return workersView{
		layout: p.layoutFor(r), MaySteer: p.opts.Fleet != nil && may(r, "POST /workers"),
		MayLimit: p.opts.Fleet != nil && p.opts.Results != nil && may(r, "POST /limits"),
	}
}

// ServeHTTP shows the page. POST sets the state of a worker, or pauses a queue.
func (p *workersPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := p.view(r)
	status := http.StatusOK
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := p.steer(r)
		if err == nil {
			http.Redirect(w, r, "/workers", http.StatusSeeOther)
			return
		}
		status, view.Failed = p.sorry(r, err)
	}
	if err := p.fill(r.Context(), &view); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, wanted(r), view)
}

func (p *workersPage) steer(r *http.Request) error {
	if err := readForm(r); err != nil {
		return err
	}
	if queue := r.PostForm.Get("queue"); queue != "" {
		return p.opts.Fleet.PauseQueue(r.Context(), queue, r.PostForm.Get("pause") != "")
	}
	state := tasks.WorkerRunning
	switch r.PostForm.Get("state") {
	case "pause":
		state = tasks.WorkerPaused
	case "drain":
		state = tasks.WorkerDraining
	}
	return p.opts.Fleet.SetWorkerState(r.Context(), r.PostForm.Get("worker"), state)
}

func (p *workersPage) fill(ctx context.Context, v *workersView) error {
	now := p.opts.Now()
	workers, err := p.opts.System.Workers(ctx)
	if err != nil {
		return err
	}
	slots := 0
	for i := range workers {
		wk := &workers[i]
		slots += wk.Slots
		v.Workers = append(v.Workers, workerItem{
			ID: "w" + strconv.Itoa(i), Name: visible(wk.Name), Slots: strconv.Itoa(wk.Slots), Handlers: visible(strings.Join(wk.Handlers, " ")),
			Queues: visible(strings.Join(wk.Queues, ", ")), Throttled: visible(strings.Join(wk.Throttled, ", ")), Version: visible(wk.Version),
			State: workerState(wk.DesiredState), Running: wk.DesiredState == tasks.WorkerRunning, Seen: momentOf(wk.SeenAt, now),
		})
	}
	v.Slots = "up to " + quantity(int64(slots), "batch", "batches") + " at once"
	limits, err := p.opts.System.Limits(ctx)
	if err != nil {
		return err
	}
	weights := make(map[string]int)
	for i := range limits {
		l := &limits[i]
		if l.Scope == tasks.ScopeQueue {
			weights[l.Name] = l.Weight
		}
		if l.Unlimited() && l.Trouble == "" && l.Note == "" {
			continue // it has only a weight
		}
		item := limitItem{Scope: string(l.Scope), Name: visible(l.Name), InFlight: "–", Rate: "–", PerHost: "–", Trouble: visible(l.Trouble),
			Note: visible(l.Note)}
		if l.InFlight > 0 {
			item.InFlight = strconv.Itoa(l.InFlight)
		}
		if l.FilesPerSecond > 0 {
			item.Rate = humanize.CommafWithDigits(l.FilesPerSecond, 1)
		}
		if l.PerHost > 0 {
			item.PerHost = strconv.Itoa(l.PerHost)
		}
		v.Limits = append(v.Limits, item)
	}
	queues, err := p.opts.System.Queues(ctx)
	if err != nil { // the rest of the page does not need Redis
		p.log.ErrorContext(ctx, "read queues for a page", "error", err)
		v.QueueProblem = "Redis did not answer. Batches wait until it does."
		return nil
	}
	for i := range queues {
		q := &queues[i]
		item := queueItem{
			ID: "q" + strconv.Itoa(i), Name: visible(q.Name), Pending: humanize.Comma(int64(q.Pending)), Active: humanize.Comma(int64(q.Active)),
			Retrying: humanize.Comma(int64(q.Retrying)), Paused: q.Paused, Weight: weights[q.Name],
		}
		if q.Pending > 0 {
			item.Age = forPeople(q.Age)
		}
		v.Queues = append(v.Queues, item)
	}
	return nil
}

func workerState(s tasks.DesiredState) status {
	switch s {
	case tasks.WorkerPaused:
		return status{"paused", "warn"}
	case tasks.WorkerDraining:
		return status{"draining", "busy"}
	case tasks.WorkerRunning:
	}
	return status{"running", "good"}
}
