package copy

import (
	"context"
	"io"

	"github.com/balerhq/baler/handlers"
)

// reader reads a file until its context ends. Its errors are the system's, to be retried.
type reader struct {
	ctx context.Context //nolint:containedctx // of one copy
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Copy compares it just so
		err = handlers.RetryLater(handlers.CodeIO, err)
	}
	return n, err
}
