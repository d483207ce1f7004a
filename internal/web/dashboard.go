package web

import (
	"bytes"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/balerhq/baler/internal/api"
)

// dashboardRows is the number of transfers on a page.
const dashboardRows = 25

// dashboard is the page of recent transfers.
type dashboard struct {
	transfers Transfers
	opts      *Options
	log       *slog.Logger
	template  *template.Template
	layout    layout
}

// layout has the values that every page shows around its content.
type layout struct {
	Title, Version string
	Monitor        bool // whether to link to the monitor
	Schedules      bool // whether to link to the schedules
}

type dashboardView struct {
	layout
	Rows    []row
	Older   string // token of the next page; empty on the last
	First   bool   // whether this is the newest page
	Problem string // why there are no rows
}

func newDashboard(opts *Options) (*dashboard, error) {
	t, err := template.ParseFS(embedded, "templates/layout.html", "templates/dashboard.html")
	if err != nil {
		return nil, fmt.Errorf("parse dashboard page: %w", err)
	}
	return &dashboard{transfers: opts.Transfers, opts: opts, log: opts.Log, template: t, layout: layoutOf(opts)}, nil
}

func layoutOf(opts *Options) layout {
	return layout{Title: opts.Title, Version: opts.Version, Monitor: opts.Redis != nil, Schedules: opts.Scheduler != nil}
}

func (d *dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, view := d.view(r)
	var body bytes.Buffer // so that an error in the template does not send half a page
	if err := d.template.ExecuteTemplate(&body, "layout", view); err != nil {
		d.log.ErrorContext(r.Context(), "render dashboard page", "error", err)
		http.Error(w, "The page could not be rendered. The server's log has the error.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(d.opts.personalize(r, body.Bytes())) //nolint:gosec // html/template has escaped it; an error means that the client has disconnected
}

func (d *dashboard) view(r *http.Request) (int, dashboardView) {
	token := r.URL.Query().Get("before")
	view := dashboardView{layout: d.layout, First: token == ""}
	before, err := api.DecodeToken(token)
	if err != nil {
		view.Problem = "This page does not exist. Go back to the newest transfers."
		return http.StatusBadRequest, view
	}
	p, err := api.ReadPage(r.Context(), d.transfers, before, dashboardRows)
	if err != nil {
		d.log.ErrorContext(r.Context(), "read recent transfers", "error", err)
		view.Problem = "The database did not answer. Transfers continue as soon as it does; try again in a moment."
		return http.StatusServiceUnavailable, view
	}
	view.Older = p.Next
	for i := range p.Transfers {
		view.Rows = append(view.Rows, rowOf(&p.Transfers[i]))
	}
	return http.StatusOK, view
}
