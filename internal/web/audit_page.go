package web

import (
	"net/http"
	"time"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
)

// auditRows is how many lines a page of the audit log has.
const auditRows = 100

// auditPage shows the audit log.
type auditPage struct {
	page
}

type auditView struct {
	layout
	Rows    []auditItem
	Older   string // token of the next page; empty on the last
	First   bool
	Problem string
}

type auditItem struct {
	At, Stamp, Who, From, Action, Target, Result, Tone, Detail string

	Transfer string // the path of the transfer that the target names; empty: none
}

func mountAudit(mux *http.ServeMux, opts *Options) error {
	if opts.Audit == nil {
		return nil
	}
	p, err := newPage(opts, "audit.html", "/audit")
	if err != nil {
		return err
	}
	mux.Handle("GET /audit", &auditPage{p})
	return nil
}

func (p *auditPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("before")
	view := auditView{layout: p.layoutFor(r), First: token == ""}
	before, err := api.DecodeToken(token)
	if err != nil {
		view.Problem = "This page does not exist. Go back to the newest lines."
		p.send(w, r, http.StatusBadRequest, "layout", view)
		return
	}
	lines, err := p.opts.Audit.AuditLog(r.Context(), before, auditRows+1)
	if err != nil {
		_, view.Problem = p.sorry(r, err)
		p.send(w, r, http.StatusServiceUnavailable, "layout", view)
		return
	}
	if len(lines) > auditRows {
		lines = lines[:auditRows]
		view.Older = api.EncodeToken(lines[auditRows-1].ID)
	}
	for i := range lines {
		view.Rows = append(view.Rows, auditItemOf(&lines[i]))
	}
	p.send(w, r, http.StatusOK, "layout", view)
}

func auditItemOf(e *audit.Entry) auditItem {
	tones := map[audit.Status]string{audit.Done: "good", audit.Begun: "busy", audit.Refused: "warn", audit.Failed: "bad"}
	item := auditItem{
		At: e.At.UTC().Format("2006-01-02 15:04:05"), Stamp: e.At.UTC().Format(time.RFC3339), Who: visible(e.Who), From: visible(e.From),
		Action: visible(e.Action), Target: visible(e.Target), Result: string(e.Result), Tone: tones[e.Result], Detail: visible(e.Detail),
	}
	if id := audit.TransferOf(e.Target); id != "" {
		item.Transfer = "/transfers/" + id
	}
	return item
}
