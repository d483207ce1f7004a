package web

import (
	"io"
	"net/http"
	"net/http/pprof"
)

// NewAdmin makes the server of a process that serves nothing else, such as a worker:
// /healthz, /readyz and /metrics, as of a server made by New, and profiles when the
// options ask for them. It needs no Close.
func NewAdmin(opts Options) (*Server, error) {
	return newServer(opts, func(mux *http.ServeMux, opts *Options) (io.Closer, error) {
		pages := "/healthz\n/readyz\n/metrics\n"
		if opts.Profile {
			mountProfiles(mux)
			pages += "/debug/pprof/\n"
		}
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { writeText(w, pages) })
		return nil, nil
	})
}

// mountProfiles leaves out the command line, which may hold a password.
func mountProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
