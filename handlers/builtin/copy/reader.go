package copy

import (
	"errors"
	"io"

	"github.com/balerhq/baler/handlers"
)

// source is a reader whose errors are the system's, to be retried.
type source struct{ io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = handlers.RetryLater(handlers.CodeIO, err)
	}
	return n, err
}
