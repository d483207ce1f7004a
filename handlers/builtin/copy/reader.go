package copy

import (
	"io"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// source reads a file, and reports how far it is read. Its errors are the system's, to be
// retried.
type source struct {
	r    io.Reader
	job  *handlers.Job
	read int64
	size int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.read += int64(n)
	s.job.SetProgress(tasks.Progress{Bytes: s.read, OfBytes: s.size})
	if err != nil && err != io.EOF { //nolint:errorlint // io.Copy compares it just so
		err = handlers.RetryLater(handlers.CodeIO, err)
	}
	return n, err
}
