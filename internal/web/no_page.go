package web

import "net/http"

// answerMissingPages tells a person in a browser that there is no page at an address. Programs
// get the short answer of net/http.
func answerMissingPages(opts *Options, next http.Handler) http.Handler {
	if opts.Results == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsPage(r) || opts.routes.patternOf(r) != "" {
			next.ServeHTTP(w, r)
			return
		}
		opts.notices.send(w, r, http.StatusNotFound, "layout", noticeView{
			layout: layoutFor(opts, r, "/"), Heading: http.StatusText(http.StatusNotFound),
			Text: "There is no page at this address. It may be incomplete.",
		})
	})
}
