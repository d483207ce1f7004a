package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// load keeps a system busy until it is ended.
type load struct {
	stop  context.CancelFunc
	tick  *time.Ticker
	ended sync.WaitGroup
	files atomic.Int64 // submitted
	mu    sync.Mutex
	err   error // what went wrong first
}

// load submits the folders of a tree again and again, each as a transfer, at a
// rate in files a second. What is late is left out: the load never piles up.
func (s *system) load(ctx context.Context, t tree, r *recipe.Recipe, rate float64) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{stop: stop}
	size := min(t.files, folderSize)
	l.tick = time.NewTicker(max(time.Millisecond, time.Duration(float64(size)/rate*float64(time.Second))))
	whole := max(1, t.files/folderSize) // folders that are full, if any is
	for lane := range 2 {
		l.ended.Go(func() {
			for i := lane; ; i++ {
				select {
				case <-l.tick.C:
				case <-ctx.Done():
					return
				}
				_, _, err := s.b.Submit(ctx, baler.Submission{
					Paths: []string{t.folder(i % whole)}, Recipe: r, Via: tasks.ViaBulk, Queue: queue, Name: "load",
				})
				if err != nil {
					l.fail(ctx, err)
					return
				}
				l.files.Add(int64(size))
			}
		})
	}
	return l
}

// fail keeps an error, unless it only says that the load was ended.
func (l *load) fail(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && ctx.Err() == nil {
		l.err = err
	}
}

// end stops the load and tells what went wrong first.
func (l *load) end() error {
	l.stop()
	l.ended.Wait()
	l.tick.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
