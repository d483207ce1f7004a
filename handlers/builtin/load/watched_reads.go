package load

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// watchedReads is a reader that records whether a read is in progress.
type watchedReads struct {
	io.ReadSeeker

	reading atomic.Bool
}

// Read implements io.Reader.
func (w *watchedReads) Read(p []byte) (int, error) {
	w.reading.Store(true)
	defer w.reading.Store(false)
	return w.ReadSeeker.Read(p)
}

// progress calls tell several times within a limit, except while a read is in progress, so
// that the limit applies only to reads. The function that it returns ends this.
func (w *watchedReads) progress(ctx context.Context, limit time.Duration, tell func()) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		sleep.Every(ctx, limit/8, func() {
			if !w.reading.Load() {
				tell()
			}
		})
	})
	return func() {
		cancel()
		telling.Wait()
	}
}
