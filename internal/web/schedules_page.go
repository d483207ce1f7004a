package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/schedule"
)

// schedulesPage shows the schedules.
type schedulesPage struct {
	page
}

type schedulesView struct {
	layout
	Rows    []scheduleItem
	Watches []watchItem
	Act     bool   // whoever looks at it may change them
	Problem string // why there are no rows
	Failed  string // why nothing was added
	Form    scheduleForm
	Recipes []string
}

type scheduleItem struct {
	Name, Cron, Zone, Recipe, Overlap string
	Paths                             []string
	Next, NextStamp                   string // empty when it is paused
	Last, LastStamp                   string
	Transfer                          string // the path of the last run's transfer
	Error                             string
	Running                           bool
	Paused                            bool
}

func mountSchedules(mux *http.ServeMux, opts *Options) error {
	if opts.Scheduler == nil {
		return nil
	}
	p, err := newPage(opts, "schedules.html", "/schedules")
	if err != nil {
		return err
	}
	s := &schedulesPage{p}
	mux.Handle("GET /schedules", s)
	mux.HandleFunc("POST /schedules", s.add)
	mux.HandleFunc("POST /schedules/{name}/remove", s.does(opts.Scheduler.RemoveSchedule))
	mux.HandleFunc("POST /schedules/{name}/run", s.does(opts.Scheduler.RunSchedule))
	mux.HandleFunc("POST /schedules/{name}/pause", s.does(func(ctx context.Context, name string) error {
		return opts.Scheduler.PauseSchedule(ctx, name, true)
	}))
	mux.HandleFunc("POST /schedules/{name}/resume", s.does(func(ctx context.Context, name string) error {
		return opts.Scheduler.PauseSchedule(ctx, name, false)
	}))
	return nil
}

// does returns what a button of the page does.
func (p *schedulesPage) does(do func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := do(r.Context(), r.PathValue("name"))
		if err == nil {
			http.Redirect(w, r, "/schedules", http.StatusSeeOther)
			return
		}
		view := schedulesView{layout: p.layoutFor(r), Problem: "There is no such schedule."}
		status := http.StatusNotFound
		if !errors.Is(err, schedule.ErrNotFound) {
			status, view.Problem = p.sorry(r, err)
		}
		p.send(w, r, status, "layout", view)
	}
}

func (p *schedulesPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := p.view(r)
	status := http.StatusOK
	if err := p.fill(r.Context(), &view); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}

// view is the page for whoever has sent a request, before it is filled.
func (p *schedulesPage) view(r *http.Request) schedulesView {
	return schedulesView{layout: p.layoutFor(r), Act: may(r, "POST /schedules/{name}/run")}
}

func (p *schedulesPage) fill(ctx context.Context, v *schedulesView) error {
	if v.Act && p.opts.System != nil {
		v.Recipes = p.opts.System.Recipes()
	}
	all, err := p.opts.Scheduler.Schedules(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		v.Rows = append(v.Rows, scheduleItemOf(&all[i]))
	}
	if p.opts.Watches == nil {
		return nil
	}
	watches, err := p.opts.Watches(ctx)
	for i := range watches {
		v.Watches = append(v.Watches, p.watchItemOf(&watches[i]))
	}
	return err
}

func scheduleItemOf(s *schedule.Schedule) scheduleItem {
	item := scheduleItem{
		Name: s.Name, Cron: visible(s.Cron), Zone: cmp.Or(s.Zone, "UTC"), Recipe: visible(s.Recipe), Overlap: string(s.Overlap),
		Error: visible(strings.TrimSpace(s.LastError)), Running: !s.StartingAt.IsZero() || !s.AskedAt.IsZero(), Paused: s.Paused,
	}
	for _, path := range s.Paths {
		item.Paths = append(item.Paths, visible(path))
	}
	if !s.Paused {
		item.Next, item.NextStamp = minute(s.DueAt), s.DueAt.UTC().Format(time.RFC3339)
	}
	if !s.LastAt.IsZero() {
		item.Last, item.LastStamp = minute(s.LastAt), s.LastAt.UTC().Format(time.RFC3339)
	}
	if s.LastTransfer != "" {
		item.Transfer = "/transfers/" + s.LastTransfer
	}
	return item
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
