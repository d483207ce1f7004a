package runner

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Jobs end on many goroutines, just when the worker stops, the batch is taken
// away, or the handler returns without waiting for them: whatever comes first,
// each file has one result and is counted once.
func TestJobsThatEndInTheLastMoment(t *testing.T) {
	for name, interrupt := range map[string]func(r *env, w *Runner, b *tasks.Batch){
		"return": func(*env, *Runner, *tasks.Batch) {},
		"stop":   func(_ *env, w *Runner, _ *tasks.Batch) { w.Stop() },
		"taken":  func(r *env, _ *Runner, b *tasks.Batch) { r.lose(b) },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				for range 5 {
					r := newEnv(t, url, "name: t\nsteps: [{handler: racy, retry: {attempts: 2}}, {handler: next}]")
					var left sync.WaitGroup
					var batches []tasks.Batch
					first := r.worker("first", func(o *Options) { o.FlushAfter = time.Microsecond })
					r.handle("racy", func(ctx context.Context, jobs []*handlers.Job) error {
						if jobs[0].Result().Worker != "first" {
							return nil
						}
						for _, j := range jobs {
							left.Go(func() {
								if j.File().No%5 == 0 {
									j.SetStatus(1, tasks.OutcomeError, "busy")
								}
								j.Done()
							})
						}
						interrupt(r, first, &batches[0])
						return ctx.Err()
					})
					r.handle("next", func(context.Context, []*handlers.Job) error { return nil })
					batches = r.Files(100)
					if err := r.deliver(first, &batches[0]); err != nil && !errors.Is(err, errStopping) {
						t.Error(err)
					}
					left.Wait()
					r.finish(r.worker("second"))
					if got := r.audit().Finished; got != 100 {
						t.Errorf("%d files finished", got)
					}
				}
			})
		})
	}
}
