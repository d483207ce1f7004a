package web

import (
	"net/http"

	"github.com/balerhq/baler/internal/accounts"
)

// layout has the values that every page shows around its content.
type layout struct {
	Title, Version string
	Known          bool // whether to link to what needs a login
	Monitor        bool // whether to link to the monitor
	CanSubmit      bool
	Nav            []navEntry
	Section        string // the address of the current entry
	Notice         string // where the page reads; empty: from the database itself, as always
}

// navEntry is a page that all others link to.
type navEntry struct{ Name, Href string }

// layoutFor links to what whoever has sent a request may use.
func layoutFor(opts *Options, r *http.Request, section string) layout {
	l := layout{
		Title: opts.Title, Version: opts.Version, Known: accounts.From(r.Context()).Role.Allows(accounts.Viewer), Monitor: opts.Redis != nil,
		CanSubmit: opts.Starter != nil && opts.System != nil && may(r, "GET /new"), Section: section,
		Notice: noticeOf(r.Context()),
	}
	for _, e := range []struct {
		exists     bool
		name, href string
		pattern    string
	}{
		{true, "Transfers", "/", "GET /{$}"},
		{opts.System != nil, "Recipes", "/recipes", "GET /recipes"},
		{opts.System != nil, "Workers", "/workers", "GET /workers"},
		{opts.Letters != nil, "Dead letters", "/dead-letters", "GET /dead-letters"},
		{opts.Scheduler != nil, "Schedules", "/schedules", "GET /schedules"},
		{opts.Audit != nil, "Audit log", "/audit", "GET /audit"},
	} {
		if e.exists && may(r, e.pattern) {
			l.Nav = append(l.Nav, navEntry{e.name, e.href})
		}
	}
	return l
}
