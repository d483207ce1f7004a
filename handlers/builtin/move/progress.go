package move

import (
	"context"
	"io"
	"time"

	"github.com/balerhq/baler/handlers"
)

// tick is how exactly modification times are recorded.
const tick = time.Microsecond

// progress is a reader that ends with its context, and reports that the job makes progress.
type progress struct {
	ctx context.Context //nolint:containedctx // of one file
	job *handlers.Job
	r   io.Reader
}

// Read implements io.Reader.
func (p progress) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	p.job.Progress()
	return p.r.Read(b)
}
