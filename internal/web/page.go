package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// page renders one template inside the layout.
type page struct {
	opts     *Options
	template *template.Template
	log      *slog.Logger
	section  string // the address of the entry of the navigation that it belongs to
}

// newPage reads a template. section is the address of the entry of the navigation that the
// page belongs to.
func newPage(opts *Options, name, section string) (page, error) {
	t, err := template.ParseFS(embedded, "templates/layout.html", "templates/parts.html", "templates/"+name)
	if err != nil {
		return page{}, fmt.Errorf("parse page %s: %w", name, err)
	}
	return page{opts: opts, template: t, log: opts.Log, section: section}, nil
}

// layoutFor is what the page shows around its content to whoever has sent a request.
func (p *page) layoutFor(r *http.Request) layout { return layoutFor(p.opts, r, p.section) }

// send renders the page, or its block when part is the block's name.
func (p *page) send(w http.ResponseWriter, r *http.Request, status int, part string, view any) {
	var body bytes.Buffer // so that an error in the template does not send half a page
	if err := p.template.ExecuteTemplate(&body, part, view); err != nil {
		p.log.ErrorContext(r.Context(), "render page", "path", r.URL.Path, "error", err)
		http.Error(w, "The page could not be rendered. The server's log has the error.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", partHeader)
	w.WriteHeader(status)
	// An error means that the client has disconnected.
	_, _ = w.Write(p.opts.personalize(r, body.Bytes())) //nolint:gosec // html/template has escaped it
}

// partHeader is what htmx sends with its requests, which want the live part of a page.
const partHeader = "Hx-Request"

// wanted is the block of a page that a request wants.
func wanted(r *http.Request) string {
	if r.Header.Get(partHeader) == "true" {
		return "live"
	}
	return "layout"
}

// sorry says for people why a page cannot be shown.
func (p *page) sorry(r *http.Request, err error) (status int, text string) {
	if gone, ok := errors.AsType[*tasks.DeletedError](err); ok {
		return http.StatusGone, "This transfer was deleted on " + gone.At.UTC().Format("2 January 2006, 15:04") + " UTC."
	}
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return http.StatusNotFound, "There is no such transfer. Its address may be incomplete."
	}
	if wrong, ok := errors.AsType[*api.RequestError](err); ok {
		return requestStatus(wrong), visible(wrong.Error())
	}
	p.log.ErrorContext(r.Context(), "read for a page", "path", r.URL.Path, "error", err)
	return http.StatusServiceUnavailable, "The database did not answer. Transfers continue as soon as it does; " +
		"this page tries again by itself."
}

func requestStatus(e *api.RequestError) int {
	switch {
	case e.Conflict:
		return http.StatusConflict
	case e.Denied:
		return http.StatusForbidden
	case e.Missing:
		return http.StatusNotFound
	}
	return http.StatusUnprocessableEntity
}

// errNoPage is the error of a page that no link leads to.
var errNoPage = errors.New("This page does not exist. Go back to the first one.") //nolint:staticcheck,revive // it is shown as a sentence
