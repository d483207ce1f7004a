package copy

import (
	"io"

	"github.com/balerhq/baler/handlers"
)

// source reads a file. Its errors are the system's, to be retried.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Copy compares it just so
		err = handlers.RetryLater(handlers.CodeIO, err)
	}
	return n, err
}
