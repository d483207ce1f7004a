package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
)

// AuditStore keeps who changed what.
type AuditStore interface {
	// AddAudit writes a line with the database's time, and returns its number.
	AddAudit(ctx context.Context, e audit.Entry) (int64, error)

	// FinishAudit writes how a change ended. target "" keeps what the line has.
	FinishAudit(ctx context.Context, id int64, result audit.Status, target, detail string) error

	// AuditLog lists lines numbered below before, newest first; before 0 starts at the newest.
	AuditLog(ctx context.Context, before int64, limit int) ([]audit.Entry, error)

	// AuditOf lists lines about a transfer that have a result and one of some actions,
	// newest first.
	AuditOf(ctx context.Context, transfer string, result audit.Status, actions []string, limit int) ([]audit.Entry, error)
}

// auditor writes the audit log. What was refused is written only so often, because
// strangers can cause it.
type auditor struct {
	opts    *Options
	refusal *rate.Limiter
	dropped atomic.Int64 // refusals that were not written since the last that was
}

func newAuditor(opts *Options) *auditor {
	return &auditor{opts: opts, refusal: rate.NewLimiter(1, 100)}
}

// change serves a request that may change something. Its line is written before, so that
// nothing is changed without one, and finished afterwards.
func (a *auditor) change(w http.ResponseWriter, r *http.Request, who accounts.Identity, does right, next http.Handler) {
	if a.opts.Audit == nil {
		next.ServeHTTP(w, r)
		return
	}
	id, err := a.opts.Audit.AddAudit(r.Context(), entryOf(r, who.Name, does.does, audit.Begun))
	if err != nil {
		a.opts.Log.ErrorContext(r.Context(), "write the audit log", "error", err)
		w.Header().Set("Retry-After", "5")
		api.WriteProblem(w, api.Problem(http.StatusServiceUnavailable,
			"The server cannot write its audit log, and changes nothing without it. Come back in a few seconds."))
		return
	}
	rec := &responseRecorder{ResponseWriter: w}
	returned := false
	defer func() { // also after a panic
		result, detail := outcomeOf(rec.status, returned)
		a.finish(r, id, result, rec.Header().Get("Location"), detail)
	}()
	next.ServeHTTP(rec, r)
	returned = true
}

func outcomeOf(status int, returned bool) (audit.Status, string) {
	switch {
	case !returned:
		return audit.Failed, "the request ended before it was answered"
	case status >= http.StatusInternalServerError:
		return audit.Failed, fmt.Sprintf("%d %s", status, http.StatusText(status))
	case status >= http.StatusBadRequest:
		return audit.Refused, fmt.Sprintf("%d %s", status, http.StatusText(status))
	}
	return audit.Done, ""
}

// finishTimeout is how long the end of a change may take to be written.
const finishTimeout = 5 * time.Second

func (a *auditor) finish(r *http.Request, id int64, result audit.Status, target, detail string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTimeout)
	defer cancel()
	if err := a.opts.Audit.FinishAudit(ctx, id, result, target, detail); err != nil {
		a.opts.Log.ErrorContext(ctx, "a line of the audit log lacks its result", "line", id, "result", result, "detail", detail, "error", err)
	}
}

// refused notes a change that was not allowed.
func (a *auditor) refused(r *http.Request, who accounts.Identity, does right) {
	if changes(r) {
		a.note(r, entryOf(r, who.Name, does.does, audit.Refused))
	}
}

// note writes a line about something that did not happen, unless there are too many.
func (a *auditor) note(r *http.Request, e audit.Entry) {
	if a.opts.Audit == nil {
		return
	}
	if !a.refusal.Allow() {
		a.dropped.Add(1)
		return
	}
	if n := a.dropped.Swap(0); n > 0 {
		e.Detail += fmt.Sprintf(" (%d more refusals before it are not listed)", n)
	}
	if _, err := a.opts.Audit.AddAudit(r.Context(), e); err != nil {
		a.opts.Log.ErrorContext(r.Context(), "write the audit log", "who", e.Who, "action", e.Action, "result", e.Result, "error", err)
	}
}

func entryOf(r *http.Request, who, action string, result audit.Status) audit.Entry {
	return audit.Entry{Who: who, From: clientOf(r), Action: action, Target: r.URL.Path, Result: result}
}

// clientOf is the address of the client, without its port.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// networkOf is the address of the client, or the network that one client of IPv6 has for
// itself.
func networkOf(r *http.Request) string {
	host := clientOf(r)
	address, err := netip.ParseAddr(host)
	if err != nil || address.Unmap().Is4() {
		return host
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return network.String()
}
