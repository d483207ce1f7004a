package load

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// watchedReads notes while a read is under way.
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

// progress calls tell again and again, several times within a limit, except while a read
// is under way: so a limit on what makes no progress is one on the reads alone. It ends
// with the function that it returns.
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
