package web

import "net/http"

// responseRecorder records the status and the size of a response.
type responseRecorder struct {
	http.ResponseWriter

	status int // 0 until the header is written
	bytes  int64
}

func (r *responseRecorder) WriteHeader(code int) {
	if r.status == 0 && code >= http.StatusOK { // 1xx precede the response
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *responseRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Flush sends what was written, for writers around this one that know http.Flusher only.
func (r *responseRecorder) Flush() {
	_ = r.FlushError() // the next write fails as well
}

// FlushError sends what was written.
func (r *responseRecorder) FlushError() error {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (r *responseRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
