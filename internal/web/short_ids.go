package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// newestTransfer stands for the newest transfer in the address of a page.
const newestTransfer = "latest"

// findShortIDs leads from addresses of pages with a transfer's number, or the beginning of its
// id, to those with the id.
func findShortIDs(opts *Options, next http.Handler) http.Handler {
	if opts.Results == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ofTransfer := strings.CutPrefix(r.URL.Path, "/transfers/")
		ref, below, more := strings.Cut(rest, "/")
		if !ofTransfer || changes(r) || ref != newestTransfer && !api.IsShortID(ref) {
			next.ServeHTTP(w, r)
			return
		}
		t, err := opts.Results.FindTransfer(r.Context(), ref)
		if err != nil {
			status, text := opts.notices.sorry(r, err)
			opts.notices.send(w, r, status, "layout", noticeView{layout: layoutFor(opts, r, "/"), Heading: http.StatusText(status), Text: text})
			return
		}
		to := url.URL{Path: "/transfers/" + t.UUID, RawQuery: r.URL.RawQuery}
		if more {
			to.Path += "/" + below
		}
		http.Redirect(w, r, to.String(), http.StatusFound)
	})
}
