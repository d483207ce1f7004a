package web

import "net/http"

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter

	status int // 0 until the header is written
	bytes  int64
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 && code >= http.StatusOK { // 1xx come before the answer
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
