package systemtest

import (
	"context"
	"errors"
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

// register makes a registry of the built-in handlers and one more, which handles one file.
func register(t *testing.T, name string, fn func(context.Context, *handlers.Job) error, opts ...handlers.Option) *handlers.Registry {
	t.Helper()
	reg := builtin.Registry()
	if err := reg.Register(name, handlers.PerFile(fn), opts...); err != nil {
		t.Fatal(err)
	}
	return reg
}

func submit(t *testing.T, b *baler.Baler, s baler.Submission) tasks.Transfer {
	t.Helper()
	tr, _, err := b.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestRetryRunsFailedFilesAgainFromTheirStep(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 40
		var broken atomic.Bool
		broken.Store(true)
		reg := register(t, "picky", func(_ context.Context, j *handlers.Job) error {
			if broken.Load() && j.File().No%4 == 0 {
				return handlers.Fail("picky", errors.New("not today"))
			}
			return nil
		})
		b := open(t, c, reg)
		work(t, b)
		tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: yaml(t, `
name: picky
steps:
  - {name: first, handler: noop}
  - {name: second, handler: picky, batch: {max_items: 7}}
  - {name: third, handler: noop}
`)})
		tr = wait(t, b, tr.UUID)
		if lines := audit(t, b, tr); len(lines) != 3*files-files/4 {
			t.Fatalf("%d results before the retry", len(lines))
		}
		broken.Store(false)
		n, err := b.Retry(t.Context(), tr, baler.ResultFilter{})
		if err != nil || n != files/4 {
			t.Fatalf("retry: %d files, %v; want %d", n, err, files/4)
		}
		tr = wait(t, b, tr.UUID)
		if lines := audit(t, b, tr); len(lines) != 3*files || tr.Totals().Failures() != 0 {
			t.Errorf("%d results after the retry, %d failures", len(lines), tr.Totals().Failures())
		}
		// Files that succeeded can be run again, too, with the later steps.
		n, err = b.Retry(t.Context(), tr, baler.ResultFilter{Step: "second", Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}})
		if err != nil || n != files {
			t.Fatalf("retry of all: %d files, %v", n, err)
		}
		tr = wait(t, b, tr.UUID)
		if lines := audit(t, b, tr); len(lines) != 3*files {
			t.Errorf("%d results after running two steps again", len(lines))
		}
	})
}

func TestRetryOfAllRunsEveryPage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 1300 // more than two pages
		b := open(t, c, nil)
		work(t, b)
		tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: builtinRecipe(t, "noop")})
		tr = wait(t, b, tr.UUID)
		n, err := b.Retry(t.Context(), tr, baler.ResultFilter{Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}})
		if err != nil || n != files {
			t.Fatalf("retry of all: %d files, %v; want %d", n, err, files)
		}
		if lines := audit(t, b, wait(t, b, tr.UUID)); len(lines) != files {
			t.Errorf("%d results after running all again", len(lines))
		}
	})
}

func TestCancelStopsHandlersAndEndsTheRestAsCanceled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		begun := make(chan struct{}, 100)
		reg := register(t, "endless", func(ctx context.Context, _ *handlers.Job) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		b := open(t, c, reg)
		work(t, b)
		tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 10)}, Via: tasks.ViaBulk, Recipe: yaml(t, `
name: endless
steps:
  - {handler: endless, batch: {max_items: 10}}
`)})
		<-begun
		if ok, err := b.Cancel(t.Context(), tr); !ok || err != nil {
			t.Fatalf("cancel: %v, %v", ok, err)
		}
		testkit.Eventually(t, time.Minute, func() error {
			tr = wait(t, b, tr.UUID)
			if n := tr.Totals(); n.Canceled != 10 {
				return errors.New("not all files are canceled yet")
			}
			return nil
		})
		if tr.State != tasks.StateCanceled {
			t.Errorf("state is %s", tr.State)
		}
		if ok, err := b.Cancel(t.Context(), tr); ok || err != nil {
			t.Errorf("second cancel: %v, %v", ok, err)
		}
	})
}

func TestPausedTransferStartsNoBatchAndResumes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		var ran atomic.Int64
		gate := make(chan struct{})
		reg := register(t, "gated", func(ctx context.Context, _ *handlers.Job) error {
			ran.Add(1)
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		c.Worker.Concurrency = 1
		b := open(t, c, reg)
		work(t, b)
		const files = 30
		tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: yaml(t, `
name: gated
steps:
  - {handler: gated, batch: {max_items: 3}}
`)})
		testkit.Eventually(t, time.Minute, func() error {
			if ran.Load() == 0 {
				return errors.New("no batch runs yet")
			}
			return nil
		})
		if ok, err := b.Pause(t.Context(), tr); !ok || err != nil {
			t.Fatalf("pause: %v, %v", ok, err)
		}
		close(gate)
		// The running batch ends; the others are acknowledged without a run.
		testkit.Eventually(t, time.Minute, func() error {
			qs, err := b.Queues(t.Context())
			if err != nil {
				return err
			}
			for _, q := range qs {
				if q.Pending+q.Active+q.Retrying > 0 {
					return errors.New("batches are still in the queue")
				}
			}
			return nil
		})
		if n := ran.Load(); n != 3 {
			t.Errorf("%d files ran in spite of the pause, want the 3 of the running batch", n)
		}
		if ok, err := b.Resume(t.Context(), tr); !ok || err != nil {
			t.Fatalf("resume: %v, %v", ok, err)
		}
		tr = wait(t, b, tr.UUID)
		audit(t, b, tr)
		if n := ran.Load(); n != files {
			t.Errorf("%d runs of %d files", n, files)
		}
	})
}

func TestReconcileSendsWhatTheQueueHasLost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		if c.Redis.URL == "embedded" {
			t.Skip("an embedded queue cannot be emptied from outside")
		}
		c.Dispatch.Lag, c.Dispatch.Resend = time.Hour, time.Hour // only reconcile finds them
		b := open(t, c, nil)
		const files = 300
		var trs []tasks.Transfer
		for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
			trs = append(trs, submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: via, Recipe: builtinRecipe(t, "noop")}))
		}
		flush(t, c.Redis.URL)
		work(t, b)
		r, err := b.Reconcile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Files != files {
			t.Errorf("reconcile found %d files, want the %d of the group transfer", r.Files, files)
		}
		for _, tr := range trs {
			audit(t, b, wait(t, b, tr.UUID))
		}
	})
}

func TestWorkersPauseAndDrain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		ended := make(chan error, 1)
		go func() { ended <- b.Work(t.Context()) }()
		name := c.Worker.Name
		testkit.Eventually(t, time.Minute, func() error { return b.SetWorkerState(t.Context(), name, tasks.WorkerPaused) })
		testkit.Eventually(t, time.Minute, func() error {
			ws, err := b.Workers(t.Context())
			if err == nil && (len(ws) != 1 || ws[0].DesiredState != tasks.WorkerPaused) {
				err = errors.New("the worker does not show its desired state")
			}
			return err
		})
		if err := b.SetWorkerState(t.Context(), "nobody", tasks.WorkerRunning); !errors.Is(err, baler.ErrWorkerNotFound) {
			t.Errorf("desired state of a worker that does not exist: %v", err)
		}
		if err := b.SetWorkerState(t.Context(), name, tasks.WorkerDraining); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("the worker does not end")
		}
	})
}
