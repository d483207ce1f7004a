package handlers

import (
	"io"
	"time"

	"github.com/balerhq/baler/tasks"
)

// SetProgress reports how far the work on the file is, for people who watch the transfer: the
// command status, the page of the transfer and the API show it with a file that takes long. It
// costs a lock and nothing else, so it may be called after each read; the worker writes the
// last report to the database with its heartbeat. It is a call of Progress, too.
func (j *Job) SetProgress(p tasks.Progress) {
	now := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progressed, j.begun, j.progress = now, true, p
}

// Running says since when a handler works on the file, and how far it is; ok is false when the
// work has ended, or has not begun as far as Start and SetProgress say. It is for runners.
func (j *Job) Running() (since time.Time, p tasks.Progress, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.started, j.progress, j.begun && !j.done
}

// ReadProgress returns a reader of r that reports with SetProgress how much of size bytes has been
// read.
func (j *Job) ReadProgress(r io.Reader, size int64) io.Reader {
	return &reportingReader{r: r, job: j, size: size}
}

type reportingReader struct {
	r    io.Reader
	job  *Job
	read int64
	size int64
}

func (r *reportingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.read += int64(n)
	r.job.SetProgress(tasks.Progress{Bytes: r.read, OfBytes: r.size})
	return n, err
}
