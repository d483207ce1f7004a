package web

import (
	"bytes"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
)

// landingRows is how many transfers the page shows at once.
const landingRows = 25

// landing is the page of recent transfers.
type landing struct {
	transfers Transfers
	log       *slog.Logger
	template  *template.Template
	frame     layout
}

// layout is what stands around every page.
type layout struct {
	Title, Version string
	Monitor        bool // there is one to link to
}

type landingView struct {
	layout
	Rows    []row
	Older   string // token of the page that follows
	First   bool   // this is the newest page
	Problem string // why there are no rows
}

func newLanding(opts *Options) (*landing, error) {
	t, err := template.ParseFS(embedded, "templates/frame.html", "templates/landing.html")
	if err != nil {
		return nil, fmt.Errorf("parse landing page: %w", err)
	}
	return &landing{transfers: opts.Transfers, log: opts.Log, template: t, frame: frameOf(opts)}, nil
}

func frameOf(opts *Options) layout {
	return layout{Title: opts.Title, Version: opts.Version, Monitor: opts.Redis != nil}
}

func (l *landing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, view := l.view(r)
	var body bytes.Buffer // so that a fault in the template is not half a page
	if err := l.template.ExecuteTemplate(&body, "frame", view); err != nil {
		l.log.ErrorContext(r.Context(), "render landing page", "error", err)
		http.Error(w, "The page could not be drawn; the server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that has gone away needs no page
}

func (l *landing) view(r *http.Request) (int, landingView) {
	token := r.URL.Query().Get("before")
	view := landingView{layout: l.frame, First: token == ""}
	before, err := decodeToken(token)
	if err != nil {
		view.Problem = "This address is not one of the pages of transfers."
		return http.StatusBadRequest, view
	}
	p, err := readPage(r.Context(), l.transfers, before, landingRows)
	if err != nil {
		l.log.ErrorContext(r.Context(), "read recent transfers", "error", err)
		view.Problem = "The database did not answer. Transfers go on by themselves as soon as it does; try again in a moment."
		return http.StatusServiceUnavailable, view
	}
	view.Older = p.next
	for i := range p.transfers {
		view.Rows = append(view.Rows, rowOf(&p.transfers[i]))
	}
	return http.StatusOK, view
}
