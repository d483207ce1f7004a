package systemtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// wallTime reads where the time of a transfer went that has ended, once its worker has said
// all, and checks that the parts add up.
func wallTime(t *testing.T, b *baler.Baler, id string, complete func(*tasks.WallTime) bool) *tasks.WallTime {
	t.Helper()
	tr := wait(t, b, id)
	testkit.Eventually(t, hung, func() error {
		if err := b.ExplainTime(t.Context(), &tr); err != nil {
			return err
		}
		if tr.WallTime == nil || !complete(tr.WallTime) {
			return fmt.Errorf("the workers have said: %+v", tr.WallTime)
		}
		return nil
	})
	w := tr.WallTime
	if sum := w.Parts.Sum(); sum != w.Took || w.Took != tr.EndedAt.Sub(tr.CreatedAt).Round(time.Millisecond) {
		t.Errorf("the parts add up to %s, of %s", sum, w.Took)
	}
	for _, p := range w.Parts.Largest() {
		t.Logf("%s %s", p.Words(), w.Parts[p])
	}
	return w
}

// most checks that a part is the largest, and at least so much.
func most(t *testing.T, w *tasks.WallTime, part tasks.TimePart, least time.Duration) {
	t.Helper()
	if largest := w.Parts.Largest()[0]; largest != part || w.Parts[part] < least {
		t.Errorf("%s took most, %s; want %s, and at least %s", largest, w.Parts[largest], part, least)
	}
}

func sleeping(d time.Duration) func(context.Context, *handlers.Job) error {
	return func(ctx context.Context, _ *handlers.Job) error {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
}

func TestWhereTheTimeOfATransferWent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Concurrency, c.Worker.Slots = 2, 2
		b := open(t, c, register(t, "sleep", sleeping(300*time.Millisecond)))
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 6)}, Recipe: yaml(t, "name: t\nsteps: [{handler: noop}, {handler: sleep, batch: {max_items: 1}}]"),
		})
		work(t, b)
		w := wallTime(t, b, tr.UUID, func(w *tasks.WallTime) bool { return w.Parts[tasks.TimeHandler] > 800*time.Millisecond })
		most(t, w, tasks.TimeHandler, 800*time.Millisecond)
		if step := w.Steps[1].Parts[tasks.TimeHandler]; step < w.Parts[tasks.TimeHandler]*9/10 {
			t.Errorf("the second step's handler took %s", step)
		}
		if w.Workers != 1 || w.Slots != 2 || w.HandlersAtOnce <= 0 || w.HandlersAtOnce > 2.1 {
			t.Errorf("%d workers, %d slots, %.2f handlers", w.Workers, w.Slots, w.HandlersAtOnce)
		}

		// Nobody takes the batches, then a person pauses it.
		tr = submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 2)}, Recipe: yaml(t, "name: t\nsteps: [{handler: sleep, batch: {max_items: 1}}]"),
		})
		_, err := b.Pause(t.Context(), tr)
		testkit.Must(t, err)
		pausedAt := time.Now()
		testkit.Eventually(t, hung, func() error {
			if time.Since(pausedAt) < 2*time.Second {
				return errors.New("it is not paused for long enough")
			}
			return nil
		})
		now, err := b.Transfer(t.Context(), tr.UUID)
		testkit.Must(t, err)
		testkit.Must(t, b.ExplainTime(t.Context(), &now))
		if paused := now.WallTime.Parts[tasks.TimePaused]; paused < 1500*time.Millisecond {
			t.Errorf("while it is paused: %s", paused)
		}
		_, err = b.Resume(t.Context(), tr)
		testkit.Must(t, err)
		w = wallTime(t, b, tr.UUID, func(w *tasks.WallTime) bool { return w.Parts[tasks.TimePaused] > 0 })
		most(t, w, tasks.TimePaused, 1500*time.Millisecond)
	})
}

// What a rate limit keeps out counts as that, and not as the queue.
func TestTimeThatLimitsTake(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		rate := 2.0
		_, err := b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{FilesPerSecond: &rate})
		testkit.Must(t, err)
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 8)}, Recipe: yaml(t, "name: t\nsteps: [{handler: noop, batch: {max_items: 2}}]"),
		})
		work(t, b) // it reads the limits before it takes the first batch
		w := wallTime(t, b, tr.UUID, func(w *tasks.WallTime) bool { return w.Parts[tasks.TimeLimits] > time.Second })
		most(t, w, tasks.TimeLimits, time.Second)
	})
}

// A database that takes long to commit is seen as that.
func TestSlowCommitsAreSeen(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Redis.URL, c.Database.URL, c.Roots = testkit.Redis(t), testkit.MySQL(t), testkit.Roots()
	b := open(t, c, nil)
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	testkit.Must(t, s.DB().Session(t.Context()).Exec("CREATE TRIGGER slow BEFORE INSERT ON batch_history FOR EACH ROW DO SLEEP(0.5)").Error)
	tr := submit(t, b, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, 2)}, Recipe: yaml(t, "name: t\nsteps: [{handler: noop}, {name: again, handler: noop}]"),
	})
	work(t, b)
	w := wallTime(t, b, tr.UUID, func(w *tasks.WallTime) bool { return w.Parts[tasks.TimeCommits] > 450*time.Millisecond })
	most(t, w, tasks.TimeCommits, 450*time.Millisecond) // that of the last batch is not part of the transfer's time
}
