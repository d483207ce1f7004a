// Package ctxio has a reader that ends with a context.
package ctxio

import (
	"context"
	"io"
)

// reader has the context of one copy, which takes an io.Reader.
type reader struct {
	ctx context.Context //nolint:containedctx // as above
	r   io.Reader
}

// NewReader returns a reader that reads from r until ctx has ended, and then fails with
// the error of ctx. A read that is in progress is not interrupted.
func NewReader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
