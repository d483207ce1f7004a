package systemtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Three workers, each of which runs one batch at a time on the whole host, get three of
// nine videos each, although one batch could hold them all. This applies to files of the
// first step, and to files that follow one batch of it.
func TestWorkersShareSlowFilesEvenly(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string]string{
		"first step": "[{handler: transcode}]",
		// The long delay is never waited for: nothing more can come once the first batch is complete.
		"second step": "[{handler: noop}, {handler: transcode, batch: {max_delay: 1h}}]",
	} {
		t.Run(name, func(t *testing.T) { sharesEvenly(t, "name: videos\nsteps: "+steps+"\n") })
	}
}

func sharesEvenly(t *testing.T, recipe string) {
	onEach(t, func(t *testing.T, c config.Config) {
		if c.Redis.URL == "embedded" {
			t.Skip("workers with an embedded queue each have their own")
		}
		const workers, videos = 3, 9
		var begun atomic.Int64
		all := make(chan struct{}) // closed when all workers have a batch: until then none can take two
		transcode := handlers.HandlerFunc(func(ctx context.Context, _ []*handlers.Job) error {
			if begun.Add(1) == workers {
				close(all)
			}
			select {
			case <-all:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		var b *baler.Baler
		for i := range workers {
			c.Worker.Name = fmt.Sprintf("worker-%d", i)
			reg := builtin.Registry()
			if err := reg.Register("transcode", transcode, handlers.WithSlots(handlers.AllSlots)); err != nil {
				t.Fatal(err)
			}
			b = open(t, c, reg)
			work(t, b)
		}
		testkit.Eventually(t, time.Minute, func() error {
			ws, err := b.Workers(t.Context())
			if err == nil && len(ws) < workers {
				err = fmt.Errorf("%d workers are listed", len(ws))
			}
			return err
		})
		// The dispatcher distributes them after all are registered, however long the scan takes.
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, videos)}, Via: tasks.ViaBulk, Recipe: yaml(t, recipe),
			OnCreated: func(tr tasks.Transfer) {
				_, err := b.Pause(t.Context(), tr)
				testkit.Must(t, err)
			},
		})
		_, err := b.Resume(t.Context(), tr)
		testkit.Must(t, err)
		each := make(map[string]int)
		for _, l := range audit(t, b, wait(t, b, tr.UUID)) {
			if l.Step == "transcode" {
				each[l.Worker]++
			}
		}
		for name, n := range each {
			if n != videos/workers {
				t.Errorf("%s had %d videos of %d", name, n, videos)
			}
		}
	})
}
