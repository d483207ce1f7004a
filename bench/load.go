package bench

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// load keeps a system busy until it is ended.
type load struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
	mu    sync.Mutex
	err   error
}

// load submits the folders of a tree again and again, each as a transfer, at a
// rate in files a second. What is late is left out: the load never piles up.
func (s *system) load(ctx context.Context, t tree, r *recipe.Recipe, rate float64) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{stop: stop}
	size := min(t.files, folderSize)
	tick := time.NewTicker(max(time.Millisecond, time.Duration(float64(size)/rate*float64(time.Second))))
	whole := max(1, t.files/folderSize)
	for lane := range 2 {
		l.ended.Go(func() {
			for i := lane; ; i++ {
				select {
				case <-tick.C:
				case <-ctx.Done():
					tick.Stop()
					return
				}
				_, _, err := s.b.Submit(ctx, baler.Submission{
					Paths: []string{t.folder(i % whole)}, Recipe: r, Via: tasks.ViaBulk, Queue: queue, Name: "load",
				})
				if err != nil && ctx.Err() == nil {
					l.fail(err)
					return
				}
			}
		})
	}
	return l
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// end stops the load and tells what went wrong first.
func (l *load) end() error {
	l.stop()
	l.ended.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
