package web

import (
	"net/http"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// answerMissingPages tells a person in a browser that there is no page at an address, or that it
// takes forms only. Programs get the short answer of net/http.
func answerMissingPages(opts *Options, next http.Handler) http.Handler {
	if opts.Results == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsPage(r) || opts.routes.patternOf(r) != "" {
			next.ServeHTTP(w, r)
			return
		}
		status, text := http.StatusNotFound, "There is no page at this address. It may be incomplete."
		if allowed := api.AllowedMethods(opts.routes.mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			status = http.StatusMethodNotAllowed
			text = "This address is that of a button or a form, and shows nothing. Go back to the page that has it."
		}
		opts.notices.send(w, r, status, "layout", noticeView{layout: layoutFor(opts, r, "/"), Heading: http.StatusText(status), Text: text})
	})
}
